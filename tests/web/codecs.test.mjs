// Does an m-line the server has filled say only what it was filled with?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keepToOffer } from '../../web/codecs.js';

const VIDEO = [
  { mimeType: 'video/rtx' },
  { mimeType: 'video/VP9', sdpFmtpLine: 'profile-id=0' },
  { mimeType: 'video/VP8' },
  { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=42e034' },
  { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=0;profile-level-id=42e034' },
  { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1;profile-level-id=640034' },
];
const AUDIO = [{ mimeType: 'audio/opus' }, { mimeType: 'audio/red' }, { mimeType: 'audio/PCMU' }];
globalThis.RTCRtpReceiver = { getCapabilities: (kind) => ({ codecs: kind === 'video' ? VIDEO : AUDIO }) };

function offer(...lines) {
  return ['v=0', 'm=video 9 UDP/TLS/RTP/SAVPF 96', 'a=mid:1', ...lines, ''].join('\r\n');
}

/** What the transceiver of mid 1 keeps, or null when it is left alone. */
function kept(sdp, { mid = '1', kind = 'video' } = {}) {
  let preferred = null;
  const setCodecPreferences = (codecs) => (preferred = codecs);
  keepToOffer(sdp, [{ mid, receiver: { track: { kind } }, setCodecPreferences }]);
  return preferred && preferred.map(({ mimeType, sdpFmtpLine = '' }) => `${mimeType} ${sdpFmtpLine}`.trim());
}

test('the codecs of the offer, in its order', () => {
  assert.deepEqual(kept(offer('a=rtpmap:96 VP8/90000', 'a=rtpmap:97 rtx/90000')), ['video/VP8', 'video/rtx']);
  const both = offer('a=rtpmap:98 VP9/90000', 'a=rtpmap:96 VP8/90000');
  assert.deepEqual(kept(both), ['video/VP9 profile-id=0', 'video/VP8']);
  const red = 'v=0\r\nm=audio 9 x 63\r\na=mid:0\r\na=rtpmap:63 red/48000/2\r\na=rtpmap:111 opus/48000/2\r\n';
  assert.deepEqual(kept(red, { mid: '0', kind: 'audio' }), ['audio/red', 'audio/opus']);
});

test('of H264 the profile and mode that are sent, at any level', () => {
  const sdp = offer('a=rtpmap:96 H264/90000', 'a=fmtp:96 profile-level-id=42e01f;packetization-mode=1');
  assert.deepEqual(kept(sdp), ['video/H264 packetization-mode=1;profile-level-id=42e034']);
});

test('an m-line of which nothing is understood is left alone', () => {
  assert.equal(kept(offer('a=rtpmap:96 future/90000', 'a=rtpmap:97 rtx/90000')), null);
  assert.equal(kept(offer('a=rtpmap:96 VP8/90000'), { mid: '7' }), null);
  assert.equal(kept('v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:1\r\n'), null);
});
