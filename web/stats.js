// What flows through this connection right now, in a few numbers per track?
// SPDX-License-Identifier: MIT

/**
 * Condenses an RTCStatsReport. `tracks` is the server's {mid, userId, source} list.
 *
 *     {inbound:  [{mid, userId, source, kind, bytes, packets, lost, jitter, framesDecoded, freezes, width, height,
 *                  audioEnergy}],
 *      outbound: [{mid, kind, rid, bytes, packets, framesEncoded, width, height, active}],
 *      transport: {srtpCipher, dtlsState, tlsVersion, bytesReceived, bytesSent, rttMs, localAddress, remoteAddress}}
 *
 * Bytes, packets and frames count from the start of the track; a field the browser does not report is undefined.
 */
export function summarize(report, tracks = []) {
  const owners = new Map(tracks.map((track) => [track.mid, track]));
  const all = [...report.values()];
  return {
    inbound: all.filter(({ type }) => type === 'inbound-rtp').map((stat) => inbound(stat, owners.get(stat.mid))),
    outbound: all.filter(({ type }) => type === 'outbound-rtp').map(outbound),
    transport: transport(all, report),
  };
}

function inbound(stat, owner) {
  return {
    mid: stat.mid,
    userId: owner?.userId ?? null,
    source: owner?.source ?? null,
    kind: stat.kind,
    bytes: stat.bytesReceived,
    packets: stat.packetsReceived,
    lost: stat.packetsLost,
    jitter: stat.jitter,
    framesDecoded: stat.framesDecoded,
    freezes: stat.freezeCount,
    width: stat.frameWidth,
    height: stat.frameHeight,
    audioEnergy: stat.totalAudioEnergy,
  };
}

function outbound(stat) {
  return {
    mid: stat.mid,
    kind: stat.kind,
    rid: stat.rid,
    bytes: stat.bytesSent,
    packets: stat.packetsSent,
    framesEncoded: stat.framesEncoded,
    width: stat.frameWidth,
    height: stat.frameHeight,
    active: stat.active,
  };
}

function transport(all, report) {
  const stat = all.find(({ type }) => type === 'transport');
  const chosen = stat?.selectedCandidatePairId;
  const pair = chosen ? report.get(chosen) : all.find((one) => one.type === 'candidate-pair' && one.selected);
  if (!stat && !pair) return null;
  const address = (id) => {
    const candidate = report.get(id);
    return candidate ? `${candidate.address ?? ''}:${candidate.port}` : undefined;
  };
  return {
    srtpCipher: stat?.srtpCipher,
    dtlsState: stat?.dtlsState,
    tlsVersion: stat?.tlsVersion,
    bytesReceived: stat?.bytesReceived ?? pair?.bytesReceived,
    bytesSent: stat?.bytesSent ?? pair?.bytesSent,
    rttMs: pair?.currentRoundTripTime === undefined ? undefined : pair.currentRoundTripTime * 1000,
    localAddress: pair && address(pair.localCandidateId),
    remoteAddress: pair && address(pair.remoteCandidateId),
  };
}
