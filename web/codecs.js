// Which codecs need an m-line say again that the server has filled already?
// SPDX-License-Identifier: MIT
//
// A browser offers every codec it knows on every m-line it receives on, 2.8 kB each in Chromium: with eleven others in
// the room an offer of ours (for an ICE restart, a shared screen) would not fit into a message of 64 KiB any more. What
// the server has said it sends is enough, 0.7 kB.

/** mid -> {rtpmap lines as "name/clock" in their order, H264 profiles} of each m-section that names codecs. */
function sections(sdp) {
  const found = new Map();
  for (const text of sdp.split(/\r?\nm=/).slice(1)) {
    const mid = /^a=mid:(\S+)/m.exec(text)?.[1];
    const names = [...text.matchAll(/^a=rtpmap:\d+ ([\w.-]+)\/\d+/gm)].map(([, name]) => name.toLowerCase());
    const profiles = [...text.matchAll(/^a=fmtp:\d+ (.*profile-level-id=.*)$/gm)].map(([, line]) => profile(line));
    if (mid && names.length > 0) found.set(mid, { names, profiles });
  }
  return found;
}

// Profile and packetization mode are what has to be the same; the level may differ (RFC 6184 section 8.2.2).
function profile(fmtp = '') {
  const mode = /packetization-mode=(\d)/.exec(fmtp)?.[1] ?? '0';
  return `${/profile-level-id=(\w{4})/.exec(fmtp)?.[1].toLowerCase()} ${mode}`;
}

function wanted({ names, profiles }, kind, capabilities) {
  const nameOf = ({ mimeType }) => mimeType.slice(kind.length + 1).toLowerCase();
  const isNamed = (codec) =>
    names.includes(nameOf(codec)) && (nameOf(codec) !== 'h264' || profiles.includes(profile(codec.sdpFmtpLine)));
  return capabilities.filter(isNamed).sort((a, b) => names.indexOf(nameOf(a)) - names.indexOf(nameOf(b)));
}

const HELPERS = /\/(rtx|red|ulpfec|flexfec-03)$/i; // nothing is heard or seen by these alone

/** From now on each of these transceivers offers and answers what the server's offer has on its m-line, no more. */
export function keepToOffer(sdp, transceivers) {
  const said = sections(sdp);
  for (const transceiver of transceivers) {
    const section = said.get(transceiver.mid);
    const { kind } = transceiver.receiver.track;
    const all = globalThis.RTCRtpReceiver?.getCapabilities?.(kind)?.codecs;
    if (!section || !all || !transceiver.setCodecPreferences) continue;
    const codecs = wanted(section, kind, all);
    if (codecs.every(({ mimeType }) => HELPERS.test(mimeType))) continue;
    transceiver.setCodecPreferences(codecs);
  }
}
