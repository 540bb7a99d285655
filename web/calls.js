// Who calls whom, and how far is each call? (ringing, answering, hanging up: `client.calls` of the client)
// SPDX-License-Identifier: MIT
import { emit } from './signal.js';

const OVER = new Set(['ENDED', 'MISSED', 'DECLINED', 'FAILED', 'BUSY']);

const FIELDS = [
  'roomId',
  'type',
  'status',
  'initiatorId',
  'initiatorName',
  'initiatorAvatar',
  'chatId',
  'participants',
  'startedAt',
  'answeredAt',
  'connectedAt',
  'duration',
  'endedBy',
  'reason',
];

function wanted(data) {
  return Object.fromEntries(FIELDS.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]));
}

/** Whether a status of a call is one of its last. */
export function isOver(status) {
  return OVER.has(status);
}

/**
 * The calls of one user. A call is
 *
 *     {id, roomId, type: 'AUDIO' | 'VIDEO', status, initiatorId, initiatorName, participants, startedAt, duration,
 *      endedBy, reason, isIncoming, answer, hungUp}
 *
 * `status` is one of RINGING, CONNECTING, CONNECTED, ENDED, MISSED, DECLINED, FAILED, BUSY; `answer` what we did about
 * an incoming call: null, `accepted`, `declined` or `elsewhere` (another device of ours answered it); `hungUp` whether
 * it was us who ended or left it. `participants` has {userId, userName, status} of everybody, with status RINGING,
 * JOINED, DECLINED, LEFT, MISSED or BUSY.
 *
 * Starting and accepting a call enters its room: tracks, chat and the host's commands are those of the client.
 *
 * Events (in `detail`): `incoming` {call}; `started` {call}: somebody accepted; `status` {call, userId, userStatus}:
 * it, or somebody in it, has another status; `ended` {call}: over, for us at least; once for each.
 */
export class Calls extends EventTarget {
  #request;
  #http;
  #enter;
  #quit;
  #known = new Map(); // id -> call, those that are not over
  #stale = new Set(); // ids that rang before a drop and were not heard of since
  #current = null; // the call we are in

  /** Made by the client: `enter(ack)` and `quit(reason, by)` come into and out of a call's room. */
  constructor({ request, http, enter, quit }) {
    super();
    this.#request = request;
    this.#http = http;
    this.#enter = enter;
    this.#quit = quit;
  }

  /** The call we are in, also while it rings for the others; or null. */
  get current() {
    return this.#current;
  }

  /** The calls that ring for us, the oldest first. */
  get ringing() {
    return [...this.#known.values()].filter(({ isIncoming, answer }) => isIncoming && answer === null);
  }

  // ---- what we do

  /**
   * Calls one or several people and enters the call's room. Rejects with `busy` while we are in another call.
   *
   * @param {string[]} participantIds
   * @param {{type?: 'AUDIO' | 'VIDEO', chatId?: string}} [options]
   */
  async call(participantIds, { type = 'VIDEO', chatId } = {}) {
    const ack = await this.#request('CALL_INITIATE', { participantIds, type, ...(chatId && { chatId }) });
    const call = this.#learn(ack.call, { isIncoming: false });
    if (isOver(call.status)) this.#finish(call);
    else this.#enterRoom(call, ack);
    return call;
  }

  /** Accepts a ringing call, or goes back into one that was left, and enters its room. */
  async accept(id) {
    const ack = await this.#request('CALL_ANSWER', { callId: id });
    const call = this.#learn(ack.call, { isIncoming: true });
    call.answer = 'accepted';
    this.#enterRoom(call, ack);
    return call;
  }

  /** Declines a ringing call; the others are told the reason. */
  async decline(id, reason) {
    const call = this.#known.get(id);
    await this.#request('CALL_DECLINE', { callId: id, ...(reason && { reason }) });
    if (!call) return;
    call.answer = 'declined';
    this.#finish(call);
  }

  /** Hangs up for everybody: a host always may, and either of two. Before anybody accepted it is a cancel. */
  async end(reason, id = this.#current?.id) {
    await this.#goOut(id, 'CALL_END', { reason });
  }

  /** Goes out of a call that goes on. */
  async leave(id = this.#current?.id) {
    await this.#goOut(id, 'CALL_LEAVE');
  }

  async #goOut(id, event, { reason } = {}) {
    const call = this.#known.get(id);
    if (call) call.hungUp = true; // the end may be told before the ack
    try {
      await this.#request(event, { callId: id, ...(reason && { reason }) });
    } catch (error) {
      if (call) call.hungUp = false;
      throw error;
    }
    this.#over(id, 'ENDED');
  }

  /** Rings more people for the call we are in. */
  add(participantIds, id = this.#current?.id) {
    return this.#request('CALL_ADD_PARTICIPANTS', { callId: id, participantIds });
  }

  /** Comes back, after a reload, into the call whose session takeSession() found. */
  async resume({ callId, roomId, userId, name, sessionToken }) {
    const wish = { roomId, userId, name, sessionToken, freshMedia: true };
    const ack = await this.#request('join-room', wish);
    const call = this.#learn({ id: callId, roomId }, { isIncoming: false });
    call.answer = 'accepted';
    this.#enterRoom(call, ack);
    return call;
  }

  // ---- what was

  /** {calls, total, page, limit}: past and present ones, the newest first. */
  history({ page = 1, limit = 20, type, chatId } = {}) {
    const query = new URLSearchParams({ page, limit, ...(type && { type }), ...(chatId && { chatId }) });
    return this.#http('GET', `/calls/history?${query}`);
  }

  /** The same of those that are not over. */
  active({ page = 1, limit = 20 } = {}) {
    return this.#http('GET', `/calls/active?${new URLSearchParams({ page, limit })}`);
  }

  // ---- what the server says

  /** For the client: an event of the server. */
  receive(event, data) {
    const call = data.callId && this.#handlers[event]?.(data);
    if (call && isOver(call.status)) this.#finish(call);
  }

  #handlers = {
    'call-incoming': (data) => {
      this.#stale.delete(data.callId);
      const isNew = !this.#known.has(data.callId);
      const call = this.#learn(data, { isIncoming: true });
      if (isNew) emit(this, 'incoming', { call });
    },
    'call-started': (data) => {
      const call = this.#known.get(data.callId);
      if (call) emit(this, 'started', { call: Object.assign(call, wanted(data)) });
    },
    'call-status-changed': (data) => {
      const call = this.#known.get(data.callId);
      if (!call) return null;
      Object.assign(call, wanted(data));
      if (data.answeredElsewhere && call !== this.#current) {
        call.answer = 'elsewhere';
        this.#finish(call);
        return null;
      }
      const { userId, userStatus } = data;
      emit(this, 'status', { call, userId, userStatus });
      return call;
    },
    'call-ended': (data) => this.#over(data.callId, data.status, data),
    'close-room': (data) => this.#over(data.callId, data.status, data),
    'remove-participant': ({ callId, from }) => this.#over(callId, 'ENDED', { by: from, reason: 'removed' }),
  };

  /** For the client: our place in the call cannot be had back. */
  lost(reason) {
    this.#over(this.#current.id, 'ENDED', { reason });
  }

  /** For the client: the socket is there again. What rang before and does not ring now was missed. */
  async settle() {
    this.#stale = new Set(this.ringing.map(({ id }) => id));
    if (this.#stale.size === 0) return;
    try {
      await this.#request('heartbeat'); // what rings is told before this is answered
    } catch {
      return; // dropped again
    }
    for (const id of this.#stale) this.#over(id, 'MISSED');
    this.#stale.clear();
  }

  #learn(data, { isIncoming }) {
    const id = data.callId ?? data.id;
    const fresh = { id, status: 'RINGING', participants: [], isIncoming, answer: null, hungUp: false };
    const call = this.#known.get(id) ?? fresh;
    this.#known.set(id, call);
    return Object.assign(call, wanted(data));
  }

  #enterRoom(call, ack) {
    this.#current = call;
    this.#enter({ ...ack, roomId: call.roomId, callId: call.id });
  }

  #over(id, status, { duration, by, reason } = {}) {
    const call = this.#known.get(id);
    if (!call) return;
    this.#finish(Object.assign(call, { status, duration, endedBy: by ?? null, reason: reason ?? null }));
  }

  #finish(call) {
    if (!this.#known.delete(call.id)) return;
    if (call === this.#current) {
      this.#current = null;
      this.#quit(call.reason === 'removed' ? 'removed' : 'call-ended', call.endedBy);
    }
    emit(this, 'ended', { call });
  }
}
