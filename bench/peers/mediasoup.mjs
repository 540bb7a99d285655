// How does the swarm join rooms of mediasoup? (its worker and npm package, where both are given)
// SPDX-License-Identifier: MIT
//
// mediasoup has no signaling of its own: this is the room server that its users write. The package runs in this
// process, which does nothing while media flows; the worker is the server that is measured. One send and one receive
// transport per participant, as its client library does it.
import { createRequire } from 'node:module';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { each } from '../lib/room.mjs';

const TWCC = 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

const VIDEO = {
  kind: 'video', mimeType: 'video/VP8', clockRate: 90000,
  rtcpFeedback: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'transport-cc' }],
};
const AUDIO = { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2, rtcpFeedback: [{ type: 'transport-cc' }] };

// The package is looked for from bench/ and from the folder the user names.
function find() {
  const from = process.env.MEDIASOUP_DIR ? `${process.env.MEDIASOUP_DIR}/` : import.meta.url;
  try {
    return createRequire(from)('mediasoup');
  } catch {
    return null;
  }
}

export const name = 'mediasoup';

export function missing() {
  if (!process.env.MEDIASOUP_WORKER_BIN || !existsSync(process.env.MEDIASOUP_WORKER_BIN)) return 'MEDIASOUP_WORKER_BIN names no worker';
  return find() ? null : 'the npm package mediasoup is not found (MEDIASOUP_DIR)';
}

/** The worker's command line, begun in the servers' namespace and on their core. */
function wrapWorker(prefix, core) {
  const folder = mkdtempSync(join(tmpdir(), 'mediasoup-'));
  const pin = core === null ? '' : `taskset -c ${core} `;
  writeFileSync(join(folder, 'worker'), `#!/bin/sh\nexec ${prefix.join(' ')} ${pin}${process.env.MEDIASOUP_WORKER_BIN} "$@"\n`, { mode: 0o755 });
  return { folder, path: join(folder, 'worker') };
}

function transportLines({ iceParameters, iceCandidates, dtlsParameters }, setup) {
  const { value } = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  return [
    `a=ice-ufrag:${iceParameters.usernameFragment}`,
    `a=ice-pwd:${iceParameters.password}`,
    `a=fingerprint:sha-256 ${value}`,
    `a=setup:${setup}`,
    ...iceCandidates
      .filter(({ protocol }) => protocol === 'udp')
      .map((c) => `a=candidate:${c.foundation} 1 udp ${c.priority} ${c.ip ?? c.address} ${c.port} typ host`),
    'a=end-of-candidates',
  ];
}

function session(mids, isLite) {
  return ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', ...(isLite ? ['a=ice-lite'] : []), `a=group:BUNDLE ${mids.join(' ')}`];
}

/** What the browser's library writes as remote description: the server's side of an m-line. */
function section(mid, direction, rtpParameters, kind, transport, setup) {
  const { codecs, headerExtensions, encodings } = rtpParameters;
  const [codec] = codecs;
  const channels = codec.channels > 1 ? `/${codec.channels}` : '';
  const rtx = codecs.find(({ mimeType }) => mimeType.endsWith('/rtx'));
  const pts = [codec.payloadType, ...(rtx ? [rtx.payloadType] : [])];
  const [encoding] = encodings ?? [];
  const sends = direction === 'sendonly' && encoding;
  return [
    `m=${kind} 9 UDP/TLS/RTP/SAVPF ${pts.join(' ')}`,
    'c=IN IP4 0.0.0.0',
    `a=mid:${mid}`,
    `a=${direction}`,
    'a=rtcp-mux',
    'a=rtcp-rsize',
    ...transportLines(transport, setup),
    `a=rtpmap:${codec.payloadType} ${codec.mimeType.split('/')[1]}/${codec.clockRate}${channels}`,
    ...codec.rtcpFeedback.map(({ type, parameter }) => `a=rtcp-fb:${codec.payloadType} ${type}${parameter ? ` ${parameter}` : ''}`),
    ...(rtx ? [`a=rtpmap:${rtx.payloadType} rtx/${rtx.clockRate}`, `a=fmtp:${rtx.payloadType} apt=${codec.payloadType}`] : []),
    ...headerExtensions.map(({ id, uri }) => `a=extmap:${id} ${uri}`),
    ...(sends && encoding.rtx ? [`a=ssrc-group:FID ${encoding.ssrc} ${encoding.rtx.ssrc}`] : []),
    ...(sends ? [`a=ssrc:${encoding.ssrc} cname:mediasoup`] : []),
  ];
}

/** What a puppet's description says, as mediasoup wants to hear it. */
function readOffer(sdp) {
  const fingerprint = /a=fingerprint:sha-256 (\S+)/.exec(sdp)[1];
  const medias = sdp.split(/^m=/m).slice(1).map((text) => {
    const kind = text.split(' ')[0];
    const twcc = new RegExp(`a=extmap:(\\d+) ${TWCC.replaceAll('.', '\\.')}`).exec(text);
    return {
      kind,
      mid: /a=mid:(\S+)/.exec(text)[1],
      ssrc: Number(/a=ssrc:(\d+)/.exec(text)?.[1]),
      rtx: Number(/a=ssrc-group:FID \d+ (\d+)/.exec(text)?.[1]),
      pt: Number(/a=rtpmap:(\d+) (?:VP8|opus)/.exec(text)[1]),
      rtxPt: Number(/a=rtpmap:(\d+) rtx/.exec(text)?.[1]),
      twccId: twcc ? Number(twcc[1]) : null,
    };
  });
  return { fingerprint, medias };
}

function producerParameters(media) {
  const codec = media.kind === 'video' ? VIDEO : AUDIO;
  const { mimeType, clockRate, channels, rtcpFeedback } = codec;
  const rtx = media.rtxPt
    ? [{ mimeType: 'video/rtx', payloadType: media.rtxPt, clockRate: 90000, parameters: { apt: media.pt } }]
    : [];
  return {
    mid: media.mid,
    codecs: [{ mimeType, clockRate, channels, rtcpFeedback, payloadType: media.pt }, ...rtx],
    headerExtensions: media.twccId ? [{ id: media.twccId, uri: TWCC }] : [],
    encodings: [{ ssrc: media.ssrc, ...(media.rtx && { rtx: { ssrc: media.rtx } }) }],
    rtcp: { cname: 'puppet', reducedSize: true },
  };
}

export async function start({ net, address, core, swarm }) {
  const mediasoup = find();
  const { folder, path } = wrapWorker(net.prefix(), core);
  const worker = await mediasoup.createWorker({ workerBin: path, logLevel: 'error' });
  const newTransport = (router) =>
    router.createWebRtcTransport({
      listenInfos: [{ protocol: 'udp', ip: address, recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 }],
      enableUdp: true, enableTcp: false, initialAvailableOutgoingBitrate: 10_000_000,
    });

  async function publish(router, { audio, video }) {
    const transport = await newTransport(router);
    const pc = swarm.open({ audio, video });
    const { fingerprint, medias } = readOffer(await swarm.offer(pc));
    await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] } });
    const producers = [];
    for (const media of medias) producers.push(await transport.produce({ kind: media.kind, rtpParameters: producerParameters(media) }));
    const sections = medias.flatMap((media) => section(media.mid, 'recvonly', producerParameters(media), media.kind, transport, 'passive'));
    swarm.take(pc, [...session(medias.map(({ mid }) => mid), true), ...sections, ''].join('\r\n'));
    await swarm.connected(pc);
    return producers;
  }

  async function listen(router, producers) {
    const transport = await newTransport(router);
    const pc = swarm.open();
    const consumers = [];
    for (const producer of producers) {
      const { rtpCapabilities } = router;
      consumers.push(await transport.consume({ producerId: producer.id, rtpCapabilities, paused: true }));
    }
    const mids = consumers.map((_, i) => String(i));
    const sections = consumers.flatMap((one, i) => section(mids[i], 'sendonly', one.rtpParameters, one.kind, transport, 'actpass'));
    const answer = await swarm.answer(pc, [...session(mids, true), ...sections, ''].join('\r\n'));
    const { fingerprint } = readOffer(answer);
    await transport.connect({ dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] } });
    await swarm.connected(pc);
    for (const consumer of consumers) await consumer.resume();
  }

  return {
    pid: worker.pid,
    settings: { version: mediasoup.version },
    said: '',
    async fill(room) {
      const router = await worker.createRouter({ mediaCodecs: [AUDIO, VIDEO] });
      const published = new Map();
      await each(room.members.filter(({ audio, video }) => audio || video), 8, async (member) =>
        published.set(member, await publish(router, member)),
      );
      await each(room.members.filter(({ listens }) => listens), 8, (member) => {
        const others = [...published].filter(([who]) => who !== member).flatMap(([, producers]) => producers);
        return listen(router, others);
      });
    },
    async stop() {
      worker.close();
      rmSync(folder, { recursive: true });
    },
  };
}
