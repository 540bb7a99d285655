// How does a test start the server without media, and speak to it byte by byte?
// SPDX-License-Identifier: MIT
//
// Environment: RODA_BIN (the server; else the fake one of the dev build, else the release build).
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Receiver } from 'ws';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BINARIES = ['build/dev/tests/signaling/roda_fake', 'build/release/signaling/roda'].map((path) => ROOT + path);
const PATIENCE_MS = 10_000;

/** Starts a server on a free port: {port, stop()}; stop() gives its exit status. */
export async function startServer(environment = {}) {
  const binary = process.env.RODA_BIN ?? BINARIES.find((path) => existsSync(path));
  if (!binary) throw new Error('build the server first: cmake --build --preset dev --target roda_fake');
  const child = spawn(binary, { env: { PORT: '0', LOG_LEVEL: 'error', DATABASE_URL: ':memory:', DRAIN_TIMEOUT: '0', ...environment }, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) {
    const port = Number(/:(\d+)$/.exec(line)?.[1]);
    if (port) return { port, stop: () => new Promise((done) => (child.once('exit', done), child.kill('SIGTERM'))) };
  }
  throw new Error('the server did not start');
}

/** What a well-behaved client's handshake has (RFC 6455 section 4.1); `null` leaves a header out. */
export function handshake(port, changes = {}, line = 'GET /ws HTTP/1.1') {
  const headers = {
    Host: `localhost:${port}`,
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...changes,
  };
  const lines = Object.entries(headers).filter(([, value]) => value !== null);
  return [line, ...lines.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n');
}

/** One frame (RFC 6455 section 5.2). `first` is the whole first byte: FIN, RSV1-3, opcode. */
export function frame(first, payload = '', { masked = true, len64 = false, len16 = false, says = undefined } = {}) {
  const data = Buffer.from(payload);
  const n = says ?? data.length;
  const wide = len64 || n > 65535 ? 8 : len16 || n > 125 ? 2 : 0;
  const head = Buffer.alloc(2 + wide);
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) | (wide === 8 ? 127 : wide === 2 ? 126 : n);
  if (wide === 2) head.writeUInt16BE(n, 2);
  if (wide === 8) head.writeBigUInt64BE(BigInt(n), 2);
  if (!masked) return Buffer.concat([head, data]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, data.map((byte, i) => byte ^ mask[i % 4])]);
}

/** The payload of a Close frame. */
export function closePayload(code, reason = '') {
  const payload = Buffer.from(`..${reason}`);
  payload.writeUInt16BE(code, 0);
  return payload;
}

/**
 * A connection whose frames a strict receiver reads: what comes is kept in `messages`, `pings`, `pongs`, `close`
 * ({code, reason}), `broken` (the server broke the protocol), `ended` (the connection is gone).
 */
export class Raw {
  static async open(port, changes, line) {
    const raw = new Raw(port);
    await raw.send(handshake(port, changes, line));
    await raw.until('an answer to the handshake', () => raw.head !== undefined || raw.ended);
    return raw;
  }

  constructor(port) {
    this.messages = [];
    this.pings = [];
    this.pongs = [];
    this.waiting = new Set();
    this.bytes = Buffer.alloc(0);
    this.socket = connect(port, 'localhost');
    this.socket.setNoDelay(true);
    this.socket.on('data', (data) => this.read(data));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.note(() => (this.ended = true)));
  }

  note(what) {
    what();
    for (const check of this.waiting) check();
  }

  read(data) {
    if (this.receiver) return void this.receiver.write(data);
    this.bytes = Buffer.concat([this.bytes, data]);
    const end = this.bytes.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.bytes.subarray(0, end).toString();
    const rest = this.bytes.subarray(end + 4);
    if (/^HTTP\/1\.1 101 /.test(head)) this.listen();
    this.note(() => {
      this.head = head;
      this.status = Number(head.split(' ')[1]);
    });
    if (this.receiver && rest.length) this.receiver.write(rest);
  }

  listen() {
    this.receiver = new Receiver({ isServer: false, binaryType: 'nodebuffer', maxPayload: 1 << 24 });
    this.receiver.on('message', (data, isBinary) => this.note(() => this.messages.push(isBinary ? data : data.toString())));
    this.receiver.on('ping', (data) => this.note(() => this.pings.push(data.toString())));
    this.receiver.on('pong', (data) => this.note(() => this.pongs.push(data.toString('latin1'))));
    this.receiver.on('conclude', (code, reason) => this.note(() => (this.close = { code, reason: reason.toString() })));
    this.receiver.on('error', (error) => this.note(() => (this.broken = error)));
    this.receiver.on('drain', () => {});
  }

  header(name) {
    return new RegExp(`^${name}: *(.*)$`, 'im').exec(this.head)?.[1];
  }

  send(bytes) {
    return new Promise((done) => (this.socket.destroyed ? done() : this.socket.write(bytes, () => done())));
  }

  until(what, check) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => (this.waiting.delete(look), reject(new Error(`never came: ${what}`))), PATIENCE_MS);
      const look = () => {
        if (this.broken) reject(this.broken);
        else if (!check()) return;
        else resolve(this);
        clearTimeout(timer);
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
  }

  /** The parsed reply to the message with that id. */
  async reply(id) {
    const find = () => this.messages.map((text) => JSON.parse(text)).find((message) => message.id === id);
    await this.until(`a reply to ${id}`, () => find() || this.ended);
    return find();
  }

  /** The server has said Close (or nothing) and, once that is answered, hung up; returns {code, reason} or undefined. */
  async closed() {
    await this.until('a Close, or the end of the connection', () => this.close || this.ended);
    if (this.close && !this.ended) await this.send(frame(0x88, closePayload(this.close.code)));
    await this.until('the end of the connection', () => this.ended);
    return this.close;
  }

  destroy() {
    this.socket.destroy();
  }
}
