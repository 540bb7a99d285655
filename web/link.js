// Which RTCPeerConnection carries our media right now, and when does another take its place?
// SPDX-License-Identifier: MIT
import { Peer } from './peer.js';

const RENEW_AGAIN_MS = 5000; // between two new RTCPeerConnections
const NEGOTIATION = { 'signal-offer': 'offer', 'signal-answer': 'answer', 'ice-candidate': 'candidate' };
const WIRE = { offer: 'signal-offer', answer: 'signal-answer', candidate: 'ice-candidate' };

/**
 * At most one Peer at a time, sending what is in `local` (an Outbox); what it receives is the `roster`'s.
 * `request(event, data)` reaches the server; `tell(type, detail)` tells of media-state, channel, data and error.
 */
export class Link {
  iceServers = [];
  state = 'new'; // RTCPeerConnection.connectionState
  peer = null;
  #request;
  #tell;
  #local;
  #roster;
  #PeerConnection;
  #renewTimer = null;
  #renewedAt = -Infinity;

  constructor({ request, tell, local, roster, PeerConnection }) {
    this.#request = request;
    this.#tell = tell;
    this.#local = local;
    this.#roster = roster;
    this.#PeerConnection = PeerConnection;
  }

  /** In the place of what was there. */
  open() {
    this.close();
    const send = (kind, data) => this.#request(WIRE[kind], { target: 'sfu', ...data });
    const peer = new Peer({ iceServers: this.iceServers, send, PeerConnection: this.#PeerConnection });
    this.peer = peer;
    peer.addEventListener('negotiated', () => this.syncTracks());
    peer.addEventListener('state', ({ detail }) => this.setState(detail.state));
    peer.addEventListener('channel', ({ detail }) => this.#watch(detail.channel));
    peer.addEventListener('trouble', ({ detail }) => this.#tell('error', { error: detail.error }));
    peer.addEventListener('lost', () => this.renew());
    for (const [source, { track, stream }] of this.#local) peer.publish(source, track, stream);
    this.setState('new');
  }

  /** Nothing is received any more. */
  close() {
    this.drop();
    this.#roster.wireTracks = [];
    this.syncTracks();
  }

  /** For good: what was received stays as it was last seen. */
  drop() {
    clearTimeout(this.#renewTimer);
    this.peer?.close();
    this.peer = null;
  }

  /** The connection is beyond repair, here or at the server. The server knows a new one by its first offer. */
  renew() {
    clearTimeout(this.#renewTimer);
    const waitMs = this.#renewedAt + RENEW_AGAIN_MS - performance.now();
    if (waitMs > 0) {
      this.#renewTimer = setTimeout(() => this.renew(), waitMs);
      return;
    }
    this.#renewedAt = performance.now();
    this.open();
  }

  setState(state) {
    this.state = state;
    this.#tell('media-state', { state });
  }

  /** What the server sends on, and what of it has arrived. */
  syncTracks() {
    this.#roster.syncTracks((mid) => this.peer?.receiver(mid));
  }

  /** For the next connection, and for the next ICE restart of this one. */
  setIceServers(iceServers) {
    this.iceServers = iceServers;
    const connection = this.peer?.connection;
    connection?.setConfiguration({ ...connection.getConfiguration(), iceServers });
  }

  /** A description or a candidate of the server; false: it is something else. */
  receive(event, { from, sdp, candidate }) {
    const kind = NEGOTIATION[event];
    if (!kind) return false;
    if (from !== undefined && from !== 'sfu') return true; // another participant's peer-to-peer attempt is not for us
    if (kind === 'candidate') this.peer?.receive(kind, candidate);
    else this.peer?.receive(kind, typeof sdp === 'string' ? sdp : sdp?.sdp);
    return true;
  }

  #watch(channel) {
    channel.addEventListener('message', ({ data }) => this.#tell('data', { label: channel.label, data, channel }));
    this.#tell('channel', { label: channel.label, channel });
  }
}
