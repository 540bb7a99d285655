// What stands in for the browser in these tests? (a WebSocket, an RTCPeerConnection, a MediaStream, a storage)
// SPDX-License-Identifier: MIT

import { webcrypto } from 'node:crypto';

// What browsers have and Node.js 18 has not.
globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null } = {}) {
    super(type);
    this.detail = detail;
  }
};

/** Every socket ever made is in FakeWebSocket.all; the test plays the server: open(), say(), drop(). */
export class FakeWebSocket {
  static all = [];
  static get last() {
    return FakeWebSocket.all.at(-1);
  }
  readyState = 0;
  sent = [];
  constructor(url) {
    this.url = url;
    FakeWebSocket.all.push(this);
  }
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close(code) {
    this.closedWith = code ?? 'abandoned';
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen?.();
  }
  say(event, data, id) {
    this.onmessage?.({ data: JSON.stringify({ event, id, data }) });
  }
  drop(code = 1006, reason = '') {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }
  /** The newest message of that event; undefined when there is none. */
  find(event) {
    return this.sent.findLast((message) => message.event === event);
  }
  ack(event, data = {}) {
    this.say('ack', data, this.find(event).id);
  }
  refuse(event, code, message = '') {
    this.say('error', { code, message, event }, this.find(event).id);
  }
}

/** A track that remembers what was done to it. */
export function fakeTrack(kind, settings = { width: 640, height: 360 }) {
  return { kind, id: `${kind}-${Math.random()}`, enabled: true, getSettings: () => settings };
}

/** Enough of RTCPeerConnection's state machine for negotiation: stable, offers, implicit and explicit rollback. */
export class FakePeerConnection extends EventTarget {
  static last = null;
  signalingState = 'stable';
  connectionState = 'new';
  iceConnectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  transceivers = [];
  candidates = [];
  restarts = 0;
  log = [];
  #offers = 0;
  constructor(config) {
    super();
    this.config = config;
    FakePeerConnection.last = this;
  }
  createDataChannel(label, options) {
    const channel = Object.assign(new EventTarget(), { label, options, readyState: 'connecting' });
    if (!options?.negotiated) this.channel = channel;
    this.need();
    return channel;
  }
  addTransceiver(track, init) {
    const sender = { track, replaceTrack: async (next) => void (sender.track = next) };
    const transceiver = { mid: null, direction: init.direction, init, sender, currentDirection: null };
    this.transceivers.push(transceiver);
    this.need();
    return transceiver;
  }
  getTransceivers() {
    return this.transceivers;
  }
  getConfiguration() {
    return this.config;
  }
  setConfiguration(config) {
    this.config = config;
  }
  restartIce() {
    this.restarts++;
    this.need();
  }
  need() {
    this.needed = true;
    queueMicrotask(() => this.#fire());
  }
  #fire() {
    if (!this.needed || this.signalingState !== 'stable') return;
    this.needed = false;
    this.onnegotiationneeded?.();
  }
  async setLocalDescription(description) {
    if (description?.type === 'rollback') {
      this.log.push('rollback');
      this.#settle();
      return this.need();
    }
    if (this.signalingState === 'have-remote-offer') {
      this.localDescription = { type: 'answer', sdp: 'our answer' };
      this.log.push('answer');
      return this.#settle();
    }
    this.transceivers.forEach((transceiver, index) => (transceiver.mid ??= String(index + 1)));
    this.localDescription = { type: 'offer', sdp: `our offer ${++this.#offers}` };
    this.signalingState = 'have-local-offer';
    this.log.push('offer');
  }
  async setRemoteDescription({ type, sdp }) {
    if (sdp === 'rubbish') throw new Error('not SDP');
    if (type === 'offer' && this.signalingState === 'have-local-offer') {
      this.log.push('implicit rollback');
      this.needed = true;
    } else if (type === 'answer' && this.signalingState !== 'have-local-offer') {
      throw new Error(`an answer in ${this.signalingState}`);
    }
    this.remoteDescription = { type, sdp };
    if (type === 'offer') this.signalingState = 'have-remote-offer';
    else this.#settle();
  }
  #settle() {
    this.signalingState = 'stable';
    queueMicrotask(() => this.#fire());
  }
  async addIceCandidate(candidate) {
    if (!this.remoteDescription) throw new Error('no remote description');
    this.candidates.push(candidate);
  }
  setIce(state) {
    this.iceConnectionState = state;
    this.oniceconnectionstatechange?.();
  }
  setConnection(state) {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
  close() {
    this.closed = true;
  }
}

export class FakeMediaStream {
  constructor(tracks = []) {
    this.tracks = tracks;
  }
}

export class FakeStorage {
  items = new Map();
  getItem(key) {
    return this.items.get(key) ?? null;
  }
  setItem(key, value) {
    this.items.set(key, String(value));
  }
  removeItem(key) {
    this.items.delete(key);
  }
}

/** Time that passes only by tick(ms), in the place of setTimeout and setInterval, until the test is over. */
export class FakeClock {
  #now = 0;
  #tasks = new Map(); // id -> {at, every, run}
  #lastId = 0;
  #real = {};
  constructor(t) {
    const set = (run, ms = 0, every = null) => {
      this.#tasks.set(++this.#lastId, { at: this.#now + ms, every, run });
      return this.#lastId;
    };
    const clear = (id) => this.#tasks.delete(id);
    this.#replace('setTimeout', (run, ms) => set(run, ms));
    this.#replace('setInterval', (run, ms) => set(run, ms, ms));
    this.#replace('clearTimeout', clear);
    this.#replace('clearInterval', clear);
    t.after(() => this.stop());
  }
  tick(ms) {
    const end = this.#now + ms;
    for (;;) {
      const [id, task] = [...this.#tasks].sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (!task || task.at > end) break;
      this.#now = task.at;
      if (task.every === null) this.#tasks.delete(id);
      else task.at += task.every;
      task.run();
    }
    this.#now = end;
  }
  stop() {
    Object.assign(globalThis, this.#real);
  }
  #replace(name, fake) {
    this.#real[name] = globalThis[name];
    globalThis[name] = fake;
  }
}

/** Lets every promise that can go on go on. */
export async function settle() {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
