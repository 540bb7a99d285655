// Which servers can be measured here?
// SPDX-License-Identifier: MIT
import * as janus from './janus.mjs';
import * as mediasoup from './mediasoup.mjs';
import * as roda from './roda.mjs';

const variant = (peer, name, options, missing = peer.missing) => ({
  name,
  missing,
  start: (context) => peer.start({ ...context, ...options }),
});

const libraries = process.env.JANUS_LIBSRTP_DIR;

const all = [
  variant(roda, 'roda', {}),
  variant(janus, 'janus', {}),
  variant(janus, 'janus-loop', { eventLoops: 1 }),
  variant(janus, 'janus-loop-libsrtp', { eventLoops: 1, libraries }, (context) =>
    libraries ? janus.missing(context) : 'JANUS_LIBSRTP_DIR names no folder with another libsrtp2'),
  variant(mediasoup, 'mediasoup', {}),
];

/** name -> peer, and what is missing for the others. */
export function findPeers(context) {
  const peers = new Map();
  const missing = [];
  for (const peer of all) {
    const why = context.separate || peer.name === 'roda' ? peer.missing(context) : 'no network namespaces here';
    if (why) missing.push(`${peer.name}: ${why}`);
    else peers.set(peer.name, peer);
  }
  return { peers, missing };
}
