// What does forwarding cost here, beside the others? (script/bench runs this)
// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawCharts } from './charts.mjs';
import { busyShare, describeMachine } from './lib/machine.mjs';
import { measureOnce, Stage } from './lib/measure.mjs';
import { enter, isInside, SERVER_ADDRESS, ServerNet, SWARM_ADDRESS } from './lib/net.mjs';
import { preferRealtime, Program, sleep } from './lib/process.mjs';
import { describeRecording, measureRecording } from './record.mjs';
import { describeSignaling, measureSignaling } from './signaling.mjs';
import { summarize } from './summary.mjs';
import { findPeers } from './peers/index.mjs';
import { fanOuts, knee, memory, scenarios } from './scenarios.mjs';

const HELP = `script/bench [floor] [forward] [load] [peers] [fan-out] [knee] [memory] [signaling] [record] [history] [options]

  floor     the bare loop (recvmmsg, open, seal N times, UDP_SEGMENT): the limit
  forward   1 -> N in process, no sockets
  load      every scenario, Roda and the floor
  peers     every scenario, beside the other servers that are here, interleaved
  fan-out   cost against the number of receivers
  knee      rooms of 4 added on one core until it is too much, then half of that
  memory    resident memory per subscriber
  signaling 2,000 idle sockets, 200 joins and 50 calls a second: time to the ack, CPU, memory
  record    50 tracks recorded, beside the same 50 forwarded
  history   pages of a history of a million calls
  (none)    all of them

  --quick           one round, short windows
  --only A,B        these scenarios: ${scenarios.map(({ name }) => name).join(', ')}
  --peers A,B       these servers: roda, janus, janus-loop, janus-loop-libsrtp, mediasoup
  --rounds N        (3)
  --seconds N       length of a window (10)
  --patience N      wait up to N seconds for other programs to be quiet, before each window (0)
  --no-steer        let the kernel's work of receiving for the swarm be billed to the server that sends
  --realtime        servers and swarm preempt all other programs (SCHED_FIFO): for a machine that is not quiet
  --build DIR       (build/release)
  --publish         draw the charts into bench/charts
`;

const options = {
  quick: { type: 'boolean', default: false },
  only: { type: 'string' },
  peers: { type: 'string' },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  patience: { type: 'string', default: '0' },
  realtime: { type: 'boolean', default: false },
  'no-steer': { type: 'boolean', default: false },
  build: { type: 'string' },
  publish: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
};

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

class Bench {
  constructor(values, context) {
    this.values = values;
    this.context = context;
    this.rounds = Number(values.rounds ?? (values.quick ? 1 : 3));
    this.seconds = Number(values.seconds ?? (values.quick ? 3 : 10));
    const found = findPeers(context);
    const wanted = values.peers?.split(',');
    this.peers = new Map([...found.peers].filter(([name]) => !wanted || wanted.includes(name)));
    this.missing = found.missing;
    this.records = [];
    this.file = join(here, 'out', `${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.jsonl`);
    mkdirSync(dirname(this.file), { recursive: true });
  }

  record(record) {
    this.records.push(record);
    appendFileSync(this.file, `${JSON.stringify({ time: new Date().toISOString(), ...record })}\n`);
  }

  say(text) {
    process.stdout.write(`${text}\n`);
  }

  async quiet() {
    let share = await busyShare();
    for (let left = Number(this.values.patience); left > 0 && share > 0.1; left -= 1) {
      await sleep(500);
      share = await busyShare();
    }
    return share;
  }

  /** One window of one server; a failure is a record too. */
  async window(kind, name, peer, { traffic, shape, seconds = this.seconds, round = 1 }) {
    const busy_before = await this.quiet();
    try {
      const result = await measureOnce(peer, { context: this.context, traffic, shape, seconds });
      this.record({ kind, name, peer: peer.name, round, shape, traffic, busy_before, ...result });
      this.say(describeWindow(peer.name, result, busy_before));
    } catch (error) {
      this.record({ kind, name, peer: peer.name, round, shape, traffic, error: error.message });
      this.say(`    ${peer.name}: ${error.message}`);
    }
  }

  async floorWindow(kind, name, { traffic, listeners, seconds = this.seconds, round = 1, engine = 'auto' }) {
    const { net, cores } = this.context;
    const args = ['--listeners', listeners, '--fps', traffic.fps, '--frame', traffic.frame, '--packet', traffic.packet];
    args.push('--profile', traffic.profile ?? 'GCM_128', '--seconds', seconds, '--engine', engine);
    if (net.path) args.push('--netns', net.path, '--address', SERVER_ADDRESS, '--crowd-address', SWARM_ADDRESS);
    if (cores.server !== null) args.push('--server-core', cores.server, '--crowd-core', cores.swarm);
    const busy_before = await this.quiet();
    const program = new Program([`${this.context.build}/bench/floor`, ...args.map(String)]);
    const lines = [];
    program.readLines((line) => lines.push(line));
    await program.exited;
    if (lines.length === 0) throw new Error(`floor: ${program.said}`);
    const result = JSON.parse(lines[0]);
    this.record({ kind, name, peer: 'floor', round, shape: { publishers: 1, listeners }, traffic, busy_before, us_per_packet: result.ns_per_packet / 1000, ...result });
    this.say(`    floor (${result.engine}): ${(result.ns_per_packet / 1000).toFixed(2)} us/packet`);
  }

  // ---- what can be asked for

  async floor() {
    for (const profile of ['GCM_128', 'CM_SHA1_80']) {
      for (const engine of ['ipsec-mb', 'libsrtp']) {
        this.say(`floor: 1 -> 50, ${profile}, ${engine}`);
        try {
          await this.floorWindow('floor', `${profile}-${engine}`, { traffic: { ...fanOuts.traffic, profile }, listeners: 50, engine });
        } catch {
          this.say('    not here');
        }
      }
    }
  }

  async forward() {
    const program = `${this.context.build}/bench/bench_forward`;
    if (!existsSync(program)) return this.say('forward: it is not built');
    this.say('forward: 1 -> N in process');
    const text = execFileSync(program).toString();
    this.record({ kind: 'forward', text });
    this.say(text);
  }

  async signaling() {
    this.say('signaling: idle sockets, joins, calls');
    const busy_before = await this.quiet();
    const result = await measureSignaling(this.context, this.seconds);
    this.record({ kind: 'signaling', busy_before, ...result });
    this.say(describeSignaling(result));
  }

  async recording() {
    this.say('record: 50 tracks recorded, beside the same 50 forwarded');
    const busy_before = await this.quiet();
    const result = await measureRecording(this.context, this.peers.get('roda'), knee.traffic, this);
    this.record({ kind: 'record', busy_before, ...result });
    this.say(describeRecording(result));
  }

  async history() {
    this.say('history: pages of 100');
    const calls = this.values.quick ? '100000' : '1000000';
    const text = execFileSync(`${this.context.build}/bench/bench_history`, [calls]).toString();
    for (const line of text.trim().split('\n')) this.record({ kind: 'history', ...JSON.parse(line) });
    this.say(text);
  }

  async load() {
    await this.compare((name) => name === 'roda');
  }

  async peersToo() {
    await this.compare(() => true);
  }

  async compare(isWanted) {
    const only = this.values.only?.split(',');
    for (const scenario of scenarios.filter(({ name }) => !only || only.includes(name))) {
      const peers = ['roda', ...Object.keys(scenario.atMost)].filter(isWanted).flatMap((name) => this.peers.get(name) ?? []);
      for (let round = 1; round <= this.rounds; round++) {
        this.say(`${scenario.name}: ${scenario.title} (round ${round} of ${this.rounds})`);
        for (const peer of peers) await this.window('load', scenario.name, peer, { ...scenario, round });
        if (scenario.shape.listeners) await this.floorWindow('load', scenario.name, { traffic: scenario.traffic, listeners: scenario.shape.listeners, round });
      }
    }
  }

  async fanOut() {
    const counts = this.values.quick ? [10, 50, 400] : fanOuts.listeners;
    for (let round = 1; round <= this.rounds; round++) {
      for (const listeners of counts) {
        this.say(`fan-out: 1 -> ${listeners} (round ${round} of ${this.rounds})`);
        const window = { traffic: fanOuts.traffic, shape: { publishers: 1, listeners }, round };
        await this.window('fan-out', String(listeners), this.peers.get('roda'), window);
        await this.floorWindow('fan-out', String(listeners), { ...window, listeners });
        // Beyond this one core is not enough for it, and what it drops costs nothing.
        const other = this.peers.get('janus-loop');
        if (other && round === 1 && listeners <= 200) await this.window('fan-out', String(listeners), other, window);
      }
    }
  }

  async knee() {
    for (const name of ['roda', 'janus-loop']) {
      const peer = this.peers.get(name);
      if (peer) await this.kneeOf(peer, Math.min(this.seconds, 5));
    }
  }

  /** Adds rooms until delay or loss is too much; then a fresh server with half of the last that was not. */
  async kneeOf(peer, seconds) {
    this.say(`knee: ${knee.title}, ${peer.name}`);
    await this.quiet();
    const stage = await Stage.make(peer, { context: this.context, traffic: knee.traffic });
    let rooms = 0;
    let good = 0;
    try {
      for (let next = 4; ; next = Math.ceil(rooms * (this.values.quick ? 1.6 : 1.25))) {
        await stage.add({ rooms: next - rooms, members: knee.members, audio: true, video: true });
        rooms = next;
        await sleep(1000);
        const result = await stage.measure(seconds);
        const tooMuch = result.delay.p99_us > knee.p99Us || result.loss > knee.loss;
        this.record({ kind: 'knee', name: 'step', peer: peer.name, rooms, too_much: tooMuch, swarm_limited: result.swarm_share > 0.85, ...result });
        this.say(`  ${rooms} rooms:\n${describeWindow(peer.name, result)}`);
        if (tooMuch) break;
        good = rooms;
      }
    } catch (error) {
      this.say(`    at ${rooms} rooms and more: ${error.message.split('\n')[0]}`);
    } finally {
      await stage.stop();
    }
    this.record({ kind: 'knee', name: 'knee', peer: peer.name, rooms: good });
    const half = Math.max(1, good >> 1);
    this.say(`  half: ${half} rooms`);
    await this.window('knee', 'half', peer, { traffic: knee.traffic, shape: { rooms: half, members: knee.members, audio: true, video: true } });
  }

  async memory() {
    const counts = this.values.quick ? [50, 400] : memory.listeners;
    for (const listeners of counts) {
      this.say(`memory: 1 -> ${listeners}`);
      for (const name of ['roda', 'janus-loop']) {
        const peer = this.peers.get(name);
        if (peer) await this.window('memory', String(listeners), peer, { traffic: memory.traffic, shape: { publishers: 1, listeners }, seconds: 3 });
      }
    }
  }
}

function describeWindow(name, r, busy) {
  const delay = `p50 ${(r.delay.p50_us / 1000).toFixed(2)} p99 ${(r.delay.p99_us / 1000).toFixed(2)} p99.9 ${(r.delay.p999_us / 1000).toFixed(2)} ms`;
  const notes = [
    r.lost ? `lost ${r.lost}` : '',
    r.delivered < 0.995 ? `only ${(r.delivered * 100).toFixed(1)} % arrived in time` : '',
    r.silent ? `${r.silent} silent streams` : '',
    r.bad_tags ? `${r.bad_tags} bad tags` : '',
    r.swarm_share > 0.85 ? 'the swarm is at its limit' : '',
    busy > 0.1 ? `others used ${Math.round(busy * 100)} % before` : '',
  ].filter(Boolean);
  return `    ${name}: ${r.us_per_packet.toFixed(2)} us/packet, ${Math.round(r.packets_per_s)} packets/s, ${Math.round(r.cpu_share * 100)} % of a core, ${delay}, ${Math.round(r.rss_kib / 1024)} MiB${notes.length ? ` (${notes.join(', ')})` : ''}`;
}

const stages = { floor: 'floor', forward: 'forward', load: 'load', peers: 'peersToo', 'fan-out': 'fanOut', knee: 'knee', memory: 'memory', signaling: 'signaling', record: 'recording', history: 'history' };

async function run({ values, positionals }) {
  const separate = isInside();
  if (values.realtime) preferRealtime();
  const net = separate ? await ServerNet.make({ steer: values['no-steer'] ? null : 1 }) : { prefix: () => [], path: null, free() {} };
  const several = availableParallelism() > 1 || separate;
  const context = {
    net, root, separate,
    build: resolve(values.build ?? `${root}/build/release`),
    cores: several ? { server: 0, swarm: 1 } : { server: null, swarm: null },
    serverAddress: separate ? SERVER_ADDRESS : '127.0.0.1',
    swarmAddress: separate ? SWARM_ADDRESS : '127.0.0.1',
  };
  const bench = new Bench(values, context);
  bench.record({ kind: 'machine', separate, steered: net.isSteered ?? false, realtime: values.realtime, ...describeMachine(root) });
  bench.missing.forEach((why) => bench.say(`not measured: ${why}`));
  try {
    const asked = positionals.length ? positionals : Object.keys(stages).filter((name) => name !== 'load');
    for (const name of asked) await bench[stages[name]]();
  } finally {
    net.free();
  }
  finish(bench, values);
}

function finish(bench, values) {
  const text = summarize(bench.records);
  bench.say(`\n${text}\n\n${bench.file}`);
  const charts = drawCharts(bench.records);
  for (const [name, svg] of Object.entries(charts)) {
    const path = join(here, 'out', `${name}.svg`);
    writeFileSync(path, svg);
    if (values.publish) copyFileSync(path, join(here, 'charts', basename(path)));
  }
}

/** Figures of an earlier run again: script/bench show FILE... */
function show(files, values) {
  const records = files.flatMap((file) => readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
  finish({ records, file: files.join(' '), say: (text) => process.stdout.write(`${text}\n`) }, values);
}

const parsed = parseArgs({ options, allowPositionals: true });
if (parsed.values.help) {
  process.stdout.write(HELP);
} else if (parsed.positionals[0] === 'show') {
  show(parsed.positionals.slice(1), parsed.values);
} else if (parsed.positionals.some((name) => !(name in stages))) {
  process.stderr.write(HELP);
  process.exitCode = 2;
} else {
  const status = isInside() ? null : await enter();
  if (status === null) await run(parsed);
  else process.exitCode = status;
}
