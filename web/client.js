// How does a page take part in a room? (the public JavaScript client of Roda; nothing here touches the DOM)
// SPDX-License-Identifier: MIT
import { askServer, socketUrl } from './address.js';
import { Calls } from './calls.js';
import { Door } from './door.js';
import { Link } from './link.js';
import { Outbox } from './outbox.js';
import { Recorder } from './recorder.js';
import { Roster } from './roster.js';
import { Signal, SignalError, emit } from './signal.js';
import { summarize } from './stats.js';
import { leaveSession, takeSession } from './trace.js';

export { SignalError, takeSession };

const REJOIN_AGAIN_MS = 2000;

// After these a rejoin is hopeless: the reason of `ended` for each.
const FINAL_CODES = {
  busy: 'replaced',
  forbidden: 'removed',
  unauthorized: 'unauthorized',
  'not-found': 'room-closed',
  'room-closed': 'room-closed',
  'room-full': 'room-full',
};

/**
 * One person at the server, in one room at a time.
 *
 *     const client = new RodaClient();
 *     client.addEventListener('track', ({ detail }) => show(detail.userId, detail.source, detail.stream));
 *     await client.connect();
 *     await client.join({ roomId: 'abcd-efgh-ijkl', name: 'Ana' });
 *     await client.publish('camera');
 *
 * A dropped WebSocket is dialled again and the same participant re-claimed, while media flows on; so is a reload of
 * the page (see takeSession). Everything that can be refused returns a promise that rejects with a SignalError, whose
 * `code` is the protocol's word for it. web/README.md lists the events, client.d.ts the types.
 */
export class RodaClient extends EventTarget {
  recorder = new Recorder(this);
  #signal;
  #storage;
  #link;
  #who = {}; // as the constructor was told
  #wish = null; // what join() was asked for
  #early = null; // a room-participants that came before we knew that we are in
  #self = null; // the join ack: userId, name, role, sessionToken, ...
  #admission = null; // {resolve, reject} of the join() that waits
  #door = new Door((type, detail) => emit(this, type, detail));
  #hostId = null;
  #status = 'idle'; // connecting, connected, waiting, joined, reconnecting, ended
  #roster = new Roster((type, detail) => emit(this, type, detail));
  #local = new Outbox();
  #rejoinTimer = null;

  /**
   * @param {object} [options]
   * @param {string} [options.server] the address of the server; this page's own unless given
   * @param {string} [options.token] a JWT, where the server asks for one
   * @param {string} [options.userId] who we are, where it asks for none: calls for that id ring here
   * @param {string} [options.name] how the others see us, where the server asks for no token
   * @param {string} [options.url] the whole address of the WebSocket, in place of all these
   * @param {Storage} [options.storage] where a reload leaves its session; sessionStorage unless given
   */
  constructor({ server, url, token, userId, name, storage, WebSocketClass, PeerConnection } = {}) {
    super();
    const base = server ?? globalThis.location?.href;
    if (!token) this.#who = { userId, name };
    this.#signal = new Signal(
      url ?? socketUrl(base, { token, ...(!token && { user: userId, name }) }),
      WebSocketClass && { WebSocketClass },
    );
    this.calls = new Calls({
      request: (event, data) => this.#signal.request(event, data),
      http: (method, path, body) => askServer(base, { token, userId }, method, path, body),
      enter: (ack) => this.#enterCall(ack),
      quit: (reason, by) => this.#self && this.#quit(reason, by),
    });
    this.#storage = storage ?? globalThis.sessionStorage;
    this.#link = new Link({
      request: (event, data) => this.#signal.request(event, data),
      tell: (type, detail) => emit(this, type, detail),
      local: this.#local,
      roster: this.#roster,
      PeerConnection,
    });
    this.#signal.addEventListener('message', ({ detail }) => this.#receive(detail.event, detail.data));
    this.#signal.addEventListener('open', () => this.#opened());
    this.#signal.addEventListener('drop', ({ detail }) => this.#dropped(detail));
  }

  /** `idle`, `connecting`, `connected` (in no room), `waiting` (to be let in), `joined`, `reconnecting` or `ended`. */
  get status() {
    return this.#status;
  }
  /** What RTCPeerConnection.connectionState says: `new`, `connecting`, `connected`, `disconnected`, `failed`. */
  get mediaState() {
    return this.#link.state;
  }
  /** The id of the room we are in, or null. */
  get roomId() {
    return this.#self?.roomId ?? null;
  }
  /** Our own id in the room, or null before the join. */
  get userId() {
    return this.#self?.userId ?? null;
  }
  /** `host`, `participant` or `observer`; null before the join. */
  get role() {
    return this.#self?.role ?? null;
  }
  /** The user id of the room's host, or null. */
  get hostId() {
    return this.#hostId;
  }
  /** Whether the host's commands are ours to give. */
  get isHost() {
    return this.role === 'host';
  }
  /** Everybody else: userId -> {userId, name, role, isMuted, isVideoEnabled, isSharingScreen, tracks}. */
  get participants() {
    return this.#roster.participants;
  }
  /** What the room asks of its guests: {name, locked, waitingRoom, maxParticipants, hasPassword}; null outside. */
  get room() {
    return this.#door.rules;
  }
  /** For a host, who waits to be let in: userId -> {userId, name}. */
  get knocks() {
    return this.#door.knocks;
  }
  /** The RTCPeerConnection, for the curious; null before the join. */
  get connection() {
    return this.#link.peer?.connection ?? null;
  }
  /** What the others are told of us: {isMuted, isVideoEnabled, isSharingScreen}. */
  get media() {
    const isOn = (source) => this.#local.isOn(source);
    return { isMuted: !isOn('microphone'), isVideoEnabled: isOn('camera'), isSharingScreen: isOn('screen') };
  }

  // ---- coming and going

  /** Dials. Resolves once the server answers, rejects when it refuses us; keeps dialling in between. */
  connect() {
    if (this.#status !== 'idle') return Promise.reject(new SignalError('busy', `already ${this.#status}`));
    this.#setStatus('connecting');
    globalThis.addEventListener?.('online', this.#networkChanged);
    globalThis.navigator?.connection?.addEventListener?.('change', this.#networkChanged);
    globalThis.addEventListener?.('pagehide', this.#leaveTrace);
    return new Promise((resolve, reject) => {
      this.#signal.addEventListener('open', () => resolve(), { once: true });
      this.addEventListener('ended', ({ detail }) => reject(new SignalError(detail.reason)), { once: true });
      this.#signal.open();
    });
  }

  /**
   * Enters the room and resolves with the server's ack. `sessionToken` re-claims the participant an earlier page was.
   * Where a host lets people in, `waiting` is emitted and it takes until then; sent away, it rejects with `denied`.
   *
   * @param {{roomId: string, name?: string, userId?: string, role?: string, password?: string,
   *   sessionToken?: string}} wish
   */
  async join({ roomId, name, userId, role, password, sessionToken }) {
    const who = { name: name ?? this.#who.name, userId: userId ?? this.#who.userId };
    this.#wish = { roomId, ...who, ...(role && { role }), ...(password && { password }) };
    const ack = await this.#signal.request('join-room', {
      ...this.#wish,
      ...(sessionToken && { sessionToken, freshMedia: true }),
    });
    if (!ack.waiting) return this.#joined(ack);
    this.#wait(ack);
    return new Promise((resolve, reject) => (this.#admission = { resolve, reject }));
  }

  /** Goes out of the room and stays connected: another one may be joined. Emits `left`. */
  async leaveRoom() {
    if (!this.#self) return;
    this.#quit('left');
    await this.#signal.request('leave-room').catch(() => {}); // offline, or out already
  }

  /** Goes for good: the server frees the place at once. `reason` is what `ended` says. */
  leave(reason = 'left') {
    if (this.#status === 'ended') return;
    if (this.#signal.isOpen) this.#signal.request('leave-room', {}).catch(() => {});
    this.#end(reason);
  }

  // ---- our own media

  /**
   * Sends a track as `source`, in place of the one sent so far; before the join it is kept for then. Without a track
   * the default device is opened (for a screen the browser asks which), and closed again when it is not sent any more;
   * a given track belongs to the caller.
   *
   * @param {'microphone' | 'camera' | 'screen' | 'screen-audio'} source
   * @param {MediaStreamTrack} [given]
   * @returns {Promise<MediaStreamTrack>} the track that is sent
   */
  async publish(source, given, stream) {
    const local = await this.#local.put(source, given, stream, () => this.unpublish(source).catch(() => {}));
    await this.#link.peer?.publish(source, local.track, local.stream);
    await this.#sayMedia();
    return local.track;
  }

  /** Stops sending what is published as `source`. */
  async unpublish(source) {
    if (!this.#local.drop(source)) return;
    await this.#link.peer?.unpublish(source, { keep: source === 'microphone' || source === 'camera' });
    await this.#sayMedia();
  }

  /** Mutes or opens what is published; rejects with `forbidden` while the host has it locked. */
  async setEnabled(source, enabled) {
    const local = this.#local.get(source);
    if (!local || local.track.enabled === enabled) return;
    local.track.enabled = enabled;
    try {
      await this.#sayMedia();
    } catch (error) {
      if (error.code === 'forbidden') local.track.enabled = !enabled;
      throw error;
    }
  }

  /** The published track of that source, or null. */
  localTrack(source) {
    return this.#local.get(source)?.track ?? null;
  }

  // ---- the media of the others

  /** What is received of somebody right now: {mid, source, kind, track, stream}, or null. */
  remoteTrack(userId, source) {
    return this.participants.get(userId)?.tracks.get(source) ?? null;
  }

  /**
   * Calls `listener` with what is received as somebody's `source`: now, if there is something, and each time it
   * changes; with null when it ends. Returns a function that stops that.
   *
   * @param {string} userId
   * @param {'microphone' | 'camera' | 'screen' | 'screen-audio'} source
   * @param {(entry: object | null) => void} listener
   */
  subscribe(userId, source, listener) {
    const isIt = ({ detail }) => detail.userId === userId && detail.source === source;
    const came = (event) => isIt(event) && listener(event.detail);
    const went = (event) => isIt(event) && listener(null);
    this.addEventListener('track', came);
    this.addEventListener('track-ended', went);
    const entry = this.remoteTrack(userId, source);
    if (entry) listener({ userId, ...entry });
    return () => {
      this.removeEventListener('track', came);
      this.removeEventListener('track-ended', went);
    };
  }

  // ---- the room

  /** Writes to everybody, or to one. */
  chat(text, to) {
    return this.#signal.request('chat-message', { text, ...(to && { to }) });
  }
  /** As host: nothing of somebody's microphone (`video`: camera) is forwarded; `locked`: until it is allowed again. */
  mute(targetId, { kind = 'audio', locked = false } = {}) {
    return this.#signal.request('mute-participant', { targetId, kind, locked });
  }
  /** As host: takes the lock away. The person opens microphone or camera themselves. */
  unlock(targetId, { kind = 'audio' } = {}) {
    return this.#signal.request('mute-participant', { targetId, kind, muted: false });
  }
  /** As host: sends somebody out. */
  remove(targetId, reason) {
    return this.#signal.request('remove-participant', { targetId, ...(reason && { reason }) });
  }
  /** As host: lets in whoever waits under that id; without one, everybody who waits. */
  admit(userId) {
    return this.#signal.request('admit', userId ? { userId } : { all: true });
  }
  /** As host: sends away. */
  deny(userId) {
    return this.#signal.request('deny', userId ? { userId } : { all: true });
  }
  /** As host: what the room asks from now on, some of {name, password, maxParticipants, waitingRoom, locked}. */
  updateRoom(changes) {
    return this.#signal.request('update-room', changes);
  }
  /** As host: sends everybody out, oneself included. */
  close(reason) {
    return this.#signal.request('close-room', { ...(reason && { reason }) });
  }
  /** Any other command of the server; resolves with the data of its ack. */
  request(event, data) {
    return this.#signal.request(event, data);
  }
  /** Which layer of somebody's track to receive: 0 is the smallest, -1 the best there is. */
  selectLayer(userId, source, { spatial = -1, temporal = -1 } = {}) {
    return this.#signal.request('select-layer', { userId, source, spatial, temporal });
  }
  /** An RTCDataChannel: what is written on it reaches everybody else's channel of the same label. */
  openChannel(label, options) {
    if (!this.#link.peer) throw new SignalError('offline', 'join a room first');
    return this.#link.peer.openChannel(label, options);
  }
  /** Looks for a new path through the network; what flows goes on meanwhile. */
  restartIce() {
    this.#link.peer?.restartIce();
  }
  /** What flows right now, per track and with its owner (see stats.js). */
  async stats() {
    if (!this.connection) return { inbound: [], outbound: [], transport: null };
    return summarize(await this.connection.getStats(), this.#roster.wireTracks);
  }

  // ---- the connection

  #setStatus(status) {
    if (this.#status === status) return;
    this.#status = status;
    emit(this, 'status', { status });
  }

  #opened() {
    if (this.#self) this.#rejoin();
    else this.#setStatus('connected');
    this.calls.settle();
  }

  async #rejoin() {
    clearTimeout(this.#rejoinTimer);
    const { sessionToken, userId } = this.#self;
    try {
      const ack = await this.#signal.request('join-room', { ...this.#wish, userId, sessionToken });
      if (ack.waiting) this.#wait(ack);
      else this.#joined({ ...ack, callId: this.#self.callId });
    } catch (error) {
      const end = error.code in FINAL_CODES && (error.reason ?? FINAL_CODES[error.code]);
      if (end && this.calls.current) return this.calls.lost(end);
      if (end) return this.#end(end);
      if (error.code !== 'offline') this.#rejoinTimer = setTimeout(() => this.#rejoin(), REJOIN_AGAIN_MS);
    }
  }

  // The host decides. Over another socket the session token goes on waiting.
  #wait(ack) {
    this.#signal.settle();
    this.#self = ack;
    this.#link.close();
    this.#setStatus('waiting');
    emit(this, 'waiting', { roomId: ack.roomId, userId: ack.userId });
  }

  #denied(reason) {
    if (!this.#admission) return this.#end(reason);
    this.#self = null;
    this.#setStatus('connected');
    this.#giveUpWaiting('denied');
  }

  // The server has put us into the room of a call, and said who is there before the ack of the call itself.
  #enterCall(ack) {
    const { participants = [], hostId, recordRight } = this.#early?.roomId === ack.roomId ? this.#early : {};
    const own = participants.find(({ userId }) => userId === ack.userId);
    this.#wish = { roomId: ack.roomId };
    this.#joined({ participants, hostId, recordRight, role: own?.role, name: own?.name, ...ack });
  }

  #joined(ack) {
    this.#signal.settle();
    const resumed = ack.resumed === true && this.#link.peer !== null;
    this.#self = ack;
    this.#early = null;
    this.#roster.selfId = ack.userId;
    this.#hostId = ack.hostId ?? null;
    this.#door.reset(ack.room);
    this.recorder.reset(ack);
    if (ack.iceServers) this.#link.iceServers = ack.iceServers;
    this.#setStatus('joined');
    this.#roster.sync(ack.participants ?? []);
    emit(this, 'joined', { ...ack, resumed });
    this.#sayMedia().catch(() => {});
    if (resumed) this.#link.peer.resync();
    else this.#link.open();
    this.#admission?.resolve(ack);
    this.#admission = null;
    return ack;
  }

  #dropped({ code, reason, retryMs }) {
    if (this.#status === 'ended') return;
    if (retryMs === null) return this.#end(code === 1000 ? 'replaced' : 'refused');
    if (this.#status !== 'connecting') this.#setStatus('reconnecting');
    emit(this, 'drop', { code, reason, retryMs });
  }

  #networkChanged = () => {
    this.#signal.probe();
    this.restartIce();
  };

  // Only a page that goes away leaves its token behind: a duplicated tab must not find a living one.
  #leaveTrace = () => {
    if (!this.#self || this.#status === 'ended') return;
    const { roomId, userId, name, sessionToken, callId } = this.#self;
    leaveSession({ roomId, userId, name, sessionToken, ...(callId && { callId }) }, this.#storage);
  };

  // Out of the room; the socket and what we publish stay for the next one.
  #quit(reason, by = null) {
    const { roomId } = this.#self;
    clearTimeout(this.#rejoinTimer);
    this.#link.close();
    this.#roster.sync([]);
    this.#self = this.#hostId = null;
    this.recorder.reset();
    this.#door.reset();
    this.#giveUpWaiting(reason);
    this.#link.setState('new');
    this.#setStatus(this.#signal.isOpen ? 'connected' : 'reconnecting');
    emit(this, 'left', { roomId, reason, by });
  }

  #end(reason, by = null) {
    if (this.#status === 'ended') return;
    this.#setStatus('ended');
    clearTimeout(this.#rejoinTimer);
    this.#local.stop();
    globalThis.removeEventListener?.('online', this.#networkChanged);
    globalThis.navigator?.connection?.removeEventListener?.('change', this.#networkChanged);
    globalThis.removeEventListener?.('pagehide', this.#leaveTrace);
    this.#link.drop();
    this.#signal.close();
    this.#giveUpWaiting(reason);
    emit(this, 'ended', { reason, by });
  }

  #giveUpWaiting(reason) {
    this.#admission?.reject(new SignalError(reason));
    this.#admission = null;
  }

  // Said again after every join, so a drop in between loses nothing.
  async #sayMedia() {
    if (this.#status !== 'joined') return;
    await this.#signal.request('media-update', this.media).catch((error) => {
      if (error.code !== 'offline') throw error;
    });
  }

  // ---- what the server says

  #receive(event, data) {
    if (this.#status === 'ended') return;
    if (this.#link.receive(event, data)) return;
    this.calls.receive(event, data);
    const handler = this.#handlers[event];
    if (handler) handler(data);
    else this.#door.receive(event, data);
    emit(this, 'message', { event, data });
  }

  #handlers = {
    'user-connected': (data) => {
      if (!this.#self) return;
      this.#roster.add(data);
      this.#link.syncTracks();
    },
    'user-disconnected': ({ userId, reason }) => {
      if (userId === this.userId) this.#end(reason ?? 'removed');
      else this.#roster.drop(userId, reason);
    },
    'room-participants': (data) => {
      const { participants = [], hostId } = data;
      if (!this.#self) return void (this.#early = data);
      const own = participants.find(({ userId }) => userId === this.userId);
      if (own && own.role !== this.role) this.#self = { ...this.#self, role: own.role };
      this.#roster.sync(participants);
      this.#setHost(hostId);
      this.#link.syncTracks();
    },
    'media-changed': ({ userId, ...flags }) => this.#roster.change(userId, flags),
    'mute-participant': (data) => this.#mutedByHost(data),
    'remove-participant': ({ targetId, from }) => {
      if (targetId === this.userId) this.#end('removed', from);
    },
    'close-room': ({ by, callId }) => callId || this.#end('room-closed', by), // of a call: the socket stays
    'chat-message': (data) => {
      if (data.from !== this.userId) emit(this, 'chat', data);
    },
    tracks: ({ tracks }) => {
      this.#roster.wireTracks = tracks ?? [];
      this.#link.syncTracks();
    },
    'active-speaker': ({ userId, level }) => emit(this, 'speaker', { userId: userId || null, level }),
    'host-changed': ({ hostId }) => this.#setHost(hostId),
    'ice-servers': ({ iceServers = [] }) => this.#link.setIceServers(iceServers),
    'media-state': ({ state }) => {
      if (state === 'failed') this.#link.renew();
    },
    admitted: (ack) => this.#joined(ack),
    denied: ({ reason }) => this.#denied(reason),
    'recording-changed': (data) => this.recorder.changed(data),
    'tap-changed': (data) => this.recorder.tapped(data),
    'server-draining': (data) => emit(this, 'server-draining', data),
    error: (data) =>
      emit(this, 'error', { error: new SignalError(data.code, data.message, data.event, data.reason) }),
  };

  #setHost(hostId = null) {
    if (this.#hostId === hostId) return;
    this.#hostId = hostId;
    emit(this, 'host-changed', { hostId });
  }

  // `muted: false` only takes a lock away: nobody opens somebody else's microphone.
  #mutedByHost({ targetId, from, kind = 'audio', muted = true, locked = false }) {
    if (targetId !== this.userId) return;
    const source = kind === 'video' ? 'camera' : 'microphone';
    const local = this.#local.get(source);
    if (muted && local) local.track.enabled = false;
    emit(this, muted ? 'muted-by-host' : 'unlocked-by-host', { by: from, kind, source, locked });
  }
}
