// How do messages with ids and acks travel over a WebSocket that may drop at any moment?
// SPDX-License-Identifier: MIT

const OPEN_TIMEOUT_MS = 8000;
const REQUEST_TIMEOUT_MS = 10000;
const HEARTBEAT_MS = 10000;
const HEARTBEAT_TIMEOUT_MS = 6000;
const FIRST_RETRY_MS = 300;
const LONGEST_RETRY_MS = 8000;
const MESSAGE_BYTES_MAX = 65536; // the server closes with 1009 beyond this
const CLOSE_FINAL = new Set([1000, 1008]); // said and meant by the server: another socket took over, or go away

/**
 * A request the server refused, or that never got there. `code` is the protocol's word for it; where that says too
 * little there is a `reason` ("locked", "password-needed").
 */
export class SignalError extends Error {
  constructor(code, message, event, reason) {
    super(message || code);
    this.name = 'SignalError';
    this.code = code;
    this.event = event;
    this.reason = reason ?? null;
  }
}

/** The wait before attempt n (0, 1, ...): it doubles up to a ceiling; the random half keeps a crowd apart. */
export function retryDelay(attempt, random = Math.random()) {
  const full = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** attempt);
  return Math.round(full * (0.5 + random / 2));
}

export function emit(target, type, detail = null) {
  target.dispatchEvent(new CustomEvent(type, { detail }));
}

/**
 * One lasting connection to the server. It dials again on its own until close().
 *
 * Events (in `detail`): `open`; `message` {event, data}; `drop` {code, reason, retryMs} (retryMs null: it will
 * not dial again).
 */
export class Signal extends EventTarget {
  #url;
  #WebSocket;
  #socket = null;
  #wanted = false;
  #attempt = 0;
  #nextId = 1;
  #pending = new Map(); // id -> {resolve, reject, timer}
  #retryTimer = null;
  #openTimer = null;
  #heartbeatTimer = null;

  constructor(url, { WebSocketClass = globalThis.WebSocket } = {}) {
    super();
    this.#url = url;
    this.#WebSocket = WebSocketClass;
  }

  get isOpen() {
    return this.#socket?.readyState === 1;
  }

  open() {
    this.#wanted = true;
    if (!this.#socket) this.#dial();
  }

  close() {
    this.#wanted = false;
    clearTimeout(this.#retryTimer);
    const socket = this.#socket;
    if (!socket) return;
    this.#forget({ code: 1000, reason: 'closed here' });
    socket.close(1000);
  }

  /** The network may have changed: find out now whether the socket lives, or dial at once. */
  probe() {
    if (!this.#wanted) return;
    if (this.isOpen) {
      this.#beat();
    } else if (!this.#socket) {
      clearTimeout(this.#retryTimer);
      this.#dial();
    }
  }

  /** Things work: the next drop starts its waits from the shortest one again. */
  settle() {
    this.#attempt = 0;
  }

  /** Sends and resolves with the data of the ack; rejects with a SignalError. */
  request(event, data = {}, timeoutMs = REQUEST_TIMEOUT_MS) {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new SignalError('offline', 'not connected', event));
      const text = JSON.stringify({ event, id, data });
      if (new TextEncoder().encode(text).length > MESSAGE_BYTES_MAX) {
        return reject(new SignalError('too-big', `${event} is larger than ${MESSAGE_BYTES_MAX} bytes`, event));
      }
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new SignalError('timeout', `no answer to ${event}`, event));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer });
      this.#socket.send(text);
    });
  }

  #dial() {
    const socket = new this.#WebSocket(this.#url);
    this.#socket = socket;
    this.#openTimer = setTimeout(() => this.#abandon('no answer'), OPEN_TIMEOUT_MS);
    socket.onopen = () => {
      clearTimeout(this.#openTimer);
      this.#heartbeatTimer = setInterval(() => this.#beat(), HEARTBEAT_MS);
      emit(this, 'open');
    };
    socket.onmessage = (message) => this.#receive(message.data);
    socket.onclose = (closed) => this.#dropped(closed);
  }

  #receive(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return; // not ours to repair: the server only sends JSON
    }
    const { event, id, data } = message ?? {};
    const waiting = (event === 'ack' || event === 'error') && this.#pending.get(id);
    if (!waiting) {
      if (typeof event === 'string' && event !== 'ack') emit(this, 'message', { event, data: data ?? {} });
      return;
    }
    this.#pending.delete(id);
    clearTimeout(waiting.timer);
    if (event === 'ack') waiting.resolve(data ?? {});
    else waiting.reject(new SignalError(data?.code ?? 'internal', data?.message, data?.event, data?.reason));
  }

  #beat() {
    const socket = this.#socket;
    this.request('heartbeat', {}, HEARTBEAT_TIMEOUT_MS).catch((error) => {
      if (error.code === 'timeout' && socket === this.#socket) this.#abandon('silent');
    });
  }

  // A dead network never finishes the closing handshake, so the socket is given up before it says so itself.
  #abandon(reason) {
    const socket = this.#socket;
    if (!socket) return;
    socket.onclose = null;
    this.#dropped({ code: 1006, reason });
    socket.close();
  }

  #dropped({ code, reason }) {
    if (CLOSE_FINAL.has(code)) this.#wanted = false;
    this.#forget({ code, reason });
  }

  #forget({ code, reason }) {
    const socket = this.#socket;
    socket.onopen = socket.onmessage = socket.onclose = null;
    this.#socket = null;
    clearTimeout(this.#openTimer);
    clearInterval(this.#heartbeatTimer);
    for (const waiting of this.#pending.values()) {
      clearTimeout(waiting.timer);
      waiting.reject(new SignalError('offline', 'the connection dropped'));
    }
    this.#pending.clear();
    const retryMs = this.#wanted ? retryDelay(this.#attempt++) : null;
    if (retryMs !== null) this.#retryTimer = setTimeout(() => this.#dial(), retryMs);
    emit(this, 'drop', { code, reason, retryMs });
  }
}
