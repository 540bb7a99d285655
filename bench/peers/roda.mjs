// How does the swarm join rooms of Roda? (dialect `signal` over WebSocket)
// SPDX-License-Identifier: MIT
import { existsSync } from 'node:fs';
import WebSocket from 'ws';
import { Program, sleep, until } from '../lib/process.mjs';
import { each } from '../lib/room.mjs';

const PORT = 3001;
const HEARTBEAT_MS = 10000; // as web/signal.js

export const name = 'roda';

export function missing({ build }) {
  return existsSync(`${build}/signaling/roda`) ? null : 'it is not built';
}

/** A participant: one WebSocket, one PeerConnection, negotiated by whoever has something to say. */
class Participant {
  #socket;
  #swarm;
  #pc;
  #lastId = 0;
  #pending = new Map();
  #heartbeat = null;

  constructor(swarm, url) {
    this.#swarm = swarm;
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('message', (text) => this.#receive(JSON.parse(text)));
    this.opened = new Promise((resolve, reject) => this.#socket.on('open', resolve).on('error', reject));
  }

  request(event, data) {
    const id = ++this.#lastId;
    this.#socket.send(JSON.stringify({ event, id, data }));
    return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject, event }));
  }

  #receive({ event, id, data }) {
    const waiting = this.#pending.get(id);
    if (waiting && (event === 'ack' || event === 'error')) {
      this.#pending.delete(id);
      if (event === 'ack') waiting.resolve(data);
      else waiting.reject(Object.assign(new Error(`${waiting.event}: ${data.code} ${data.message}`), { code: data.code }));
    } else if (event === 'signal-offer') {
      this.#answer(data.sdp);
    } else if (event === 'signal-answer') {
      this.#swarm.take(this.#pc, data.sdp.sdp ?? data.sdp);
    } else if (event === 'ice-candidate' && data.candidate?.candidate) {
      this.#swarm.candidate(this.#pc, data.candidate.candidate);
    }
  }

  async #answer(offer) {
    const sdp = await this.#swarm.answer(this.#pc, offer.sdp ?? offer);
    // Refused as out of date when the server has something newer to offer, which then comes.
    await this.request('signal-answer', { sdp: { type: 'answer', sdp } }).catch(() => {});
  }

  async join(room, { user, audio, video }) {
    await this.opened;
    const role = audio || video ? 'participant' : 'observer'; // of others than observers a room has few
    await this.request('join-room', { roomId: room, userId: user, name: user, role });
    this.#heartbeat = setInterval(() => this.request('heartbeat', {}).catch(() => {}), HEARTBEAT_MS);
    this.#pc = this.#swarm.open({ audio, video });
    const sdp = await this.#swarm.offer(this.#pc);
    // Refused where the server's own offer came first: that one is answered, and carries the same for a listener. A
    // publisher has more to say and says it again.
    while (!(await this.#offered(sdp)) && (audio || video)) await sleep(100);
    await this.#swarm.connected(this.#pc);
  }

  async #offered(sdp) {
    try {
      await this.request('signal-offer', { sdp: { type: 'offer', sdp } });
      return true;
    } catch (error) {
      if (error.code === 'busy') return false;
      throw error;
    }
  }

  close() {
    clearInterval(this.#heartbeat);
    this.#socket.terminate();
  }
}

export async function start({ build, root, net, address, core, swarm, environment = {} }) {
  const server = new Program([process.env.RODA ?? `${build}/signaling/roda`], {
    prefix: net.prefix(),
    core,
    env: {
      BIND: address,
      MEDIA_BIND: address,
      PORT: String(PORT),
      DATABASE_URL: ':memory:',
      DRAIN_TIMEOUT: '0',
      WEB_DIR: `${root}/web`,
      MAX_PARTICIPANTS: '1000',
      MAX_CONNECTIONS: '10000',
      LOG_LEVEL: 'warn',
      ...(core === null ? {} : { WORKERS: '1' }),
      ...environment,
    },
  });
  server.keepOutput();
  const url = `ws://${address}:${PORT}/ws?dialect=signal`;
  await until('roda', () => answers(url, server));
  const participants = [];
  const hosts = []; // of each room the first
  return {
    pid: server.pid,
    settings: core === null ? {} : { WORKERS: 1 },
    get said() {
      return server.said;
    },
    async fill(room) {
      await each(room.members, 8, async (member) => {
        const participant = new Participant(swarm, url);
        participants.push(participant);
        if (member === room.members[0]) hosts.push(participant);
        await participant.join(room.id, member);
      });
    },
    /** Resolves when all rooms are recorded, or written to their end. */
    record(on) {
      return each(hosts, 8, (host) => host.request(on ? 'recording-start' : 'recording-stop', {}));
    },
    async stop() {
      participants.forEach((participant) => participant.close());
      await server.stop();
    },
  };
}

function answers(url, server) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    server.exited.then(() => reject(new Error(`roda ended: ${server.said}`)));
    socket.on('open', () => {
      socket.close();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
