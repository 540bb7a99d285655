// How does the swarm join rooms of Janus? (its videoroom plugin over WebSocket)
// SPDX-License-Identifier: MIT
//
// As Janus' own clients do it: one PeerConnection publishes, a second one receives all publishers of the room.
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { Program, until } from '../lib/process.mjs';
import { each } from '../lib/room.mjs';

const PORT = 8188;
const KEEPALIVE_MS = 25000; // a session that says nothing for 60 s ends
const FOLDERS = ['/usr/lib/x86_64-linux-gnu/janus', '/usr/lib/aarch64-linux-gnu/janus', '/usr/lib/janus', '/opt/janus/lib/janus'];

const program = () => process.env.JANUS ?? ['/usr/bin/janus', '/opt/janus/bin/janus'].find(existsSync);
const library = () => process.env.JANUS_LIB ?? FOLDERS.find(existsSync);

export const name = 'janus';

export function missing() {
  return program() && library() ? null : 'janus is not installed (apt-get install janus)';
}

export function version() {
  const said = execFileSync('sh', ['-c', `${program()} --help 2>&1 | head -5; true`]).toString();
  return /\(([\d.]+)\)/.exec(said)?.[1] ?? 'unknown';
}

function writeConfig(address, eventLoops) {
  const folder = mkdtempSync(join(tmpdir(), 'janus-'));
  const loops = eventLoops ? `event_loops = ${eventLoops}` : '';
  writeFileSync(
    join(folder, 'janus.jcfg'),
    `general: {
      configs_folder = "${folder}"
      plugins_folder = "${library()}/plugins"
      transports_folder = "${library()}/transports"
      events_folder = "${library()}/events"
      loggers_folder = "${library()}/loggers"
      debug_level = 3
      ${loops}
    }
    nat: { ice_enforce_list = "${address}" }
    plugins: { disable = "libjanus_audiobridge.so,libjanus_duktape.so,libjanus_echotest.so,libjanus_lua.so,libjanus_nosip.so,libjanus_recordplay.so,libjanus_sip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,libjanus_voicemail.so" }
    transports: { disable = "libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,libjanus_pfunix.so,libjanus_rabbitmq.so" }
    `,
  );
  writeFileSync(
    join(folder, 'janus.transport.websockets.jcfg'),
    `general: { ws = true, ws_port = ${PORT}, ws_ip = "${address}", wss = false, json = "compact" }\n`,
  );
  writeFileSync(join(folder, 'janus.plugin.videoroom.jcfg'), 'general: { }\n');
  return folder;
}

/** One WebSocket, one session. */
class Session {
  #socket;
  #lastId = 0;
  #pending = new Map();
  #timer = null;

  constructor(url) {
    this.#socket = new WebSocket(url, 'janus-protocol', { perMessageDeflate: false });
    this.#socket.on('message', (text) => this.#receive(JSON.parse(text)));
    this.opened = new Promise((resolve, reject) => this.#socket.on('open', resolve).on('error', reject));
  }

  async begin() {
    await this.opened;
    this.id = (await this.#request({ janus: 'create' })).data.id;
    this.#timer = setInterval(() => this.#request({ janus: 'keepalive' }), KEEPALIVE_MS);
  }

  async attach() {
    return (await this.#request({ janus: 'attach', plugin: 'janus.plugin.videoroom' })).data.id;
  }

  /** A request to the plugin: its answer, or the event that follows an ack. */
  async message(handle, body, jsep) {
    const reply = await this.#request({ janus: 'message', handle_id: handle, body, ...(jsep && { jsep }) });
    const { data } = reply.plugindata;
    if (data.error) throw new Error(`janus: ${body.request}: ${data.error}`);
    return { data, jsep: reply.jsep };
  }

  #request(message) {
    const transaction = `t${++this.#lastId}`;
    const isMessage = message.janus === 'message';
    this.#socket.send(JSON.stringify({ ...message, transaction, ...(this.id && { session_id: this.id }) }));
    return new Promise((resolve, reject) => this.#pending.set(transaction, { resolve, reject, isMessage }));
  }

  #receive(message) {
    const waiting = this.#pending.get(message.transaction);
    if (!waiting || (waiting.isMessage && message.janus === 'ack')) return;
    this.#pending.delete(message.transaction);
    if (message.janus === 'error') waiting.reject(new Error(`janus: ${message.error.reason}`));
    else waiting.resolve(message);
  }

  close() {
    clearInterval(this.#timer);
    this.#socket.terminate();
  }
}

async function publish(session, swarm, room, { user, audio, video }) {
  const handle = await session.attach();
  await session.message(handle, { request: 'join', ptype: 'publisher', room, display: user });
  const pc = swarm.open({ audio, video });
  const sdp = await swarm.offer(pc);
  const { jsep } = await session.message(handle, { request: 'publish' }, { type: 'offer', sdp });
  swarm.take(pc, jsep.sdp);
  await swarm.connected(pc);
}

/** Everybody but oneself, once Janus calls them publishers. A display name is unique here. */
function othersOf(session, handle, room, user, count) {
  return until('publishers', async () => {
    const { data } = await session.message(handle, { request: 'listparticipants', room });
    const others = data.participants.filter((one) => one.publisher && one.display !== user);
    return others.length === count && others.map(({ id }) => ({ feed: id }));
  });
}

async function listen(session, swarm, room, { user }, count) {
  const handle = await session.attach();
  if (count === 0) return;
  const streams = await othersOf(session, handle, room, user, count);
  const { jsep } = await session.message(handle, { request: 'join', ptype: 'subscriber', room, streams });
  const pc = swarm.open();
  const sdp = await swarm.answer(pc, jsep.sdp);
  await session.message(handle, { request: 'start' }, { type: 'answer', sdp });
  await swarm.connected(pc);
}

export async function start({ net, address, core, swarm, eventLoops = 0, libraries = null }) {
  const folder = writeConfig(address, eventLoops);
  const server = new Program([program(), '--configs-folder', folder], {
    prefix: net.prefix(),
    core,
    env: libraries ? { LD_LIBRARY_PATH: libraries } : {},
  });
  server.keepOutput();
  const url = `ws://${address}:${PORT}`;
  const sessions = [];
  const control = await until('janus', () => dial(url, server));
  sessions.push(control);
  const controlHandle = await control.attach();
  return {
    pid: server.pid,
    settings: { event_loops: eventLoops, ...(libraries && { libsrtp: libraries }) },
    get said() {
      return server.said;
    },
    async fill(room) {
      await control.message(controlHandle, {
        request: 'create',
        room: room.number,
        publishers: 100,
        audiocodec: 'opus',
        videocodec: 'vp8',
      });
      const own = new Map();
      await each(room.members, 8, async (member) => {
        const session = new Session(url);
        sessions.push(session);
        own.set(member, session);
        await session.begin();
        if (member.audio || member.video) await publish(session, swarm, room.number, member);
      });
      const listeners = room.members.filter(({ listens }) => listens);
      const publishers = room.members.filter(({ audio, video }) => audio || video);
      await each(listeners, 8, (member) => {
        const count = publishers.filter((one) => one !== member).length;
        return listen(own.get(member), swarm, room.number, member, count);
      });
    },
    async stop() {
      sessions.forEach((session) => session.close());
      await server.stop('SIGINT');
      rmSync(folder, { recursive: true });
    },
  };
}

async function dial(url, server) {
  const session = new Session(url);
  const ended = server.exited.then(() => Promise.reject(new Error(`janus ended: ${server.said}`)));
  try {
    await Promise.race([session.begin(), ended]);
    return session;
  } catch (error) {
    if (error.message.startsWith('janus ended')) throw error;
    return null;
  }
}
