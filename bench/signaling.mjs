// What do joining, calling and merely being connected cost the server? (script/bench signaling)
// SPDX-License-Identifier: MIT
//
// Server and clients meet on loopback, the server on one core, the clients on the other. No media flows.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { cpuOf, mainThreadS, memoryOf, Program, sleep, until } from './lib/process.mjs';

export const shape = { people: 51, heartbeatS: 10, idle: 2000, joinsPerS: 200, callsPerS: 50, roomOf: 4, stayMs: 5000 };

async function startServer(context, dir) {
  const server = new Program([`${context.build}/signaling/roda`], {
    core: context.cores.server,
    env: {
      PORT: '0',
      WEB_DIR: `${context.root}/web`,
      DATABASE_URL: join(dir, 'roda.db'),
      MAX_CONNECTIONS: '10000',
      MAX_PARTICIPANTS: '100',
      MAX_PARTICIPANTS_TOTAL: '10000',
      MAX_ROOMS: '10000',
      MAX_CALLS: '10000',
      DRAIN_TIMEOUT: '0',
      LOG_LEVEL: 'warn',
      WORKERS: '1',
    },
  });
  let url;
  server.readLines((line) => (url ??= /listening on http(:\S+)/.exec(line)?.[1]));
  server.url = `ws${await until('the server', () => url)}/ws`;
  return server;
}

/** One socket that asks and waits: ask() gives the reply's data, and in `tookMs` how long it took. */
class Client {
  #asked = new Map();
  #socket;
  #id = 0;

  static open(url) {
    return new Promise((resolve, reject) => {
      const client = new Client();
      const socket = (client.#socket = new WebSocket(url, { perMessageDeflate: false }));
      socket.on('message', (text) => client.#hear(text));
      socket.on('error', reject);
      socket.on('open', () => resolve(client));
    });
  }

  #hear(text) {
    const { event, id, data } = JSON.parse(text);
    const asked = this.#asked.get(id);
    if (!asked) return;
    this.#asked.delete(id);
    const tookMs = performance.now() - asked.sentMs;
    if (event === 'ack') asked.resolve({ ...data, tookMs });
    else asked.reject(new Error(`${asked.event}: ${data.code}: ${data.message}`));
  }

  ask(event, data) {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject, event, sentMs: performance.now() });
      this.#socket.send(JSON.stringify({ event, id, data }));
    });
  }

  close() {
    return new Promise((resolve) => {
      this.#socket.on('close', resolve);
      this.#socket.close(1000);
    });
  }
}

async function connectIdle(url, count) {
  const clients = [];
  while (clients.length < count) {
    const more = Math.min(100, count - clients.length);
    clients.push(...(await Promise.all(Array.from({ length: more }, () => Client.open(url)))));
  }
  return clients;
}

/** Does something so many times a second, whether or not what was begun is done; returns all results. */
async function atRate(perS, seconds, begin) {
  const done = [];
  const startMs = performance.now();
  for (let i = 0; i < perS * seconds; i++) {
    const wait = startMs + (i * 1000) / perS - performance.now();
    if (wait > 1) await sleep(wait);
    done.push(begin(i));
  }
  return Promise.all(done);
}

/** Everybody in one room: what one says is told to all others. */
async function fillRoom(url, people) {
  const clients = [];
  while (clients.length < people) {
    const client = await Client.open(url);
    const role = clients.length ? 'observer' : 'host';
    await client.ask('join-room', { roomId: 'crowd', userId: `crowd-${clients.length}`, role });
    clients.push(client);
  }
  return clients;
}

async function joinOnce(url, i) {
  const startMs = performance.now();
  const client = await Client.open(url);
  const { tookMs } = await client.ask('join-room', { roomId: `room-${Math.floor(i / shape.roomOf)}`, userId: `user-${i}` });
  const arrivedMs = performance.now() - startMs;
  await sleep(shape.stayMs);
  await client.close();
  return { tookMs, arrivedMs };
}

/** A call is begun, accepted and ended: each is acknowledged when it is in the database. */
async function callOnce(url, i) {
  const [ana, bob] = await Promise.all([Client.open(url), Client.open(url)]);
  const begun = await ana.ask('CALL_INITIATE', { userId: `ana-${i}`, participantIds: [`bob-${i}`], type: 'VIDEO' });
  const { callId } = begun;
  const accepted = await bob.ask('CALL_ANSWER', { userId: `bob-${i}`, callId });
  const ended = await ana.ask('CALL_END', { callId });
  await Promise.all([ana.close(), bob.close()]);
  return [begun, accepted, ended].map(({ tookMs }) => tookMs);
}

function quantiles(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => Number(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))].toFixed(2));
  return { p50_ms: at(0.5), p99_ms: at(0.99), max_ms: at(1) };
}

/** CPU of the server, and of its signaling thread, while that is done, as a share of a core; and what it returned. */
async function watch(server, work) {
  const before = cpuOf(server.pid);
  const threadBeforeS = mainThreadS(server.pid);
  const startMs = performance.now();
  const results = await work();
  const seconds = (performance.now() - startMs) / 1000;
  const after = cpuOf(server.pid);
  const share = (usedS) => Number((usedS / seconds).toFixed(5));
  return {
    results,
    cpu_share: share(after.exactS - before.exactS),
    thread_share: share(mainThreadS(server.pid) - threadBeforeS),
    rss_kib: memoryOf(server.pid),
  };
}

export async function measureSignaling(context, seconds) {
  const dir = mkdtempSync(join(tmpdir(), 'roda-bench-'));
  const server = await startServer(context, dir);
  try {
    const empty_kib = memoryOf(server.pid);
    const idle = await connectIdle(server.url, shape.idle);
    await sleep(1000);
    const resting = await watch(server, () => sleep(seconds * 1000));
    const joining = await watch(server, () => atRate(shape.joinsPerS, seconds, (i) => joinOnce(server.url, i)));
    const calling = await watch(server, () => atRate(shape.callsPerS, seconds, (i) => callOnce(server.url, i)));
    await Promise.all(idle.map((client) => client.close()));
    const crowd = await fillRoom(server.url, shape.people);
    const rate = shape.people / shape.heartbeatS;
    const beating = await watch(server, () => atRate(rate, seconds, (i) => crowd[i % crowd.length].ask('heartbeat')));
    await Promise.all(crowd.map((client) => client.close()));
    return {
      ...shape,
      empty_kib,
      idle: { sockets: shape.idle, cpu_share: resting.cpu_share, rss_kib: resting.rss_kib },
      join: {
        count: joining.results.length,
        ...quantiles(joining.results.map(({ tookMs }) => tookMs)),
        arrived: quantiles(joining.results.map(({ arrivedMs }) => arrivedMs)),
        cpu_share: joining.cpu_share,
        rss_kib: joining.rss_kib,
      },
      call: {
        count: calling.results.length,
        ...quantiles(calling.results.flat()),
        cpu_share: calling.cpu_share,
        rss_kib: calling.rss_kib,
      },
      room: { people: shape.people, cpu_share: beating.thread_share },
    };
  } catch (error) {
    error.message += `\n${server.said.split('\n').slice(-15).join('\n')}`;
    throw error;
  } finally {
    await server.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const percent = (share) => `${(share * 100).toFixed(1)} % of a core`;
const mib = (kib) => `${(kib / 1024).toFixed(1)} MiB`;

export function describeSignaling({ empty_kib, idle, room, join: joined, call, joinsPerS, callsPerS, heartbeatS }) {
  const perSocket = ((idle.rss_kib - empty_kib) / idle.sockets).toFixed(1);
  return [
    `    nobody: ${mib(empty_kib)}`,
    `    ${idle.sockets} idle sockets: ${mib(idle.rss_kib)} (${perSocket} KiB each), ${percent(idle.cpu_share)}`,
    `    and ${joinsPerS} joins/s (${joined.count}): ack p50 ${joined.p50_ms} p99 ${joined.p99_ms} max ${joined.max_ms} ms; ` +
      `connected and joined p50 ${joined.arrived.p50_ms} p99 ${joined.arrived.p99_ms} ms; ${percent(joined.cpu_share)}, ${mib(joined.rss_kib)}`,
    `    and ${callsPerS} calls/s (${call.count}): each ack, on disk, p50 ${call.p50_ms} p99 ${call.p99_ms} max ${call.max_ms} ms; ` +
      `${percent(call.cpu_share)}, ${mib(call.rss_kib)}`,
    `    only a room of ${room.people}, a heartbeat each ${heartbeatS} s: ${(room.cpu_share * 1000).toFixed(2)} ms/s of the signaling thread`,
  ].join('\n');
}
