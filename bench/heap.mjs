// Who allocated what one more subscriber holds? (node bench/heap.mjs; needs the package heaptrack)
// SPDX-License-Identifier: MIT
//
// Two rooms of one publisher, with few and with many listeners, each in a fresh server under heaptrack. What is live
// when all is calm is subtracted, by call site, and divided. Live is not resident: pages nobody has touched are
// counted here (libnice's two buffers of 64 KiB), free space between blocks is not.
import { execFile } from 'node:child_process';
import { createReadStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Stage } from './lib/measure.mjs';
import { sleep } from './lib/process.mjs';
import * as roda from './peers/roda.mjs';
import { memory } from './scenarios.mjs';

const FOLDER = '/usr/lib/heaptrack';
const COUNTS = [50, 400];
const CALM_MS = 5000;
const FRAMES = 7; // of each call site
const SHOWN = 40;

const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

/** Resolves with the moment to look at: milliseconds since the server began. */
async function record(listeners, file) {
  const environment = { LD_PRELOAD: `${FOLDER}/libheaptrack_preload.so`, DUMP_HEAPTRACK_OUTPUT: file, WORKERS: '1' };
  const server = { ...roda, start: (options) => roda.start({ ...options, environment }) };
  const context = { build: `${root}/build/release`, root, net: { prefix: () => [] }, cores: { swarm: null }, swarmAddress: '127.0.0.1', serverAddress: '127.0.0.1' };
  const beganMs = Date.now();
  const stage = await Stage.make(server, { context, traffic: memory.traffic, pinned: false });
  try {
    await stage.add({ publishers: 1, listeners });
    await sleep(CALM_MS);
    return Date.now() - beganMs - CALM_MS / 5;
  } finally {
    await stage.stop();
  }
}

const hex = (text) => text.split(' ').map((word) => Number.parseInt(word, 16));

/** What was live at that moment: bytes by call site. */
async function read(file, momentMs) {
  const interpreter = execFile(`${FOLDER}/libexec/heaptrack_interpret`, { maxBuffer: Infinity });
  createReadStream(file).pipe(interpreter.stdin);
  interpreter.stderr.resume();
  const [strings, ips, traces, kinds, counts] = [[null], [null], [[0, 0]], [], []];
  let nowMs = 0;
  const count = (index, by) => {
    if (nowMs <= momentMs) counts[index] = (counts[index] ?? 0) + by;
  };
  const readers = {
    s: (text) => strings.push(text.slice(text.indexOf(' ') + 1)),
    i: (text) => ips.push(hex(text)),
    t: (text) => traces.push(hex(text)),
    a: (text) => {
      const [size, trace] = hex(text);
      kinds.push({ size, trace });
    },
    '+': (text) => count(Number.parseInt(text, 16), 1),
    '-': (text) => count(Number.parseInt(text, 16), -1),
    c: (text) => (nowMs = Number.parseInt(text, 16)),
  };
  for await (const line of createInterface({ input: interpreter.stdout })) readers[line[0]]?.(line.slice(2));
  return bySite(counts, { strings, ips, traces, kinds });
}

function bySite(counts, { strings, ips, traces, kinds }) {
  const name = ([, module, ...frames]) => {
    const library = (strings[module] ?? '?').split('/').pop();
    const inlined = [];
    for (let i = 0; i < frames.length; i += 3) inlined.push(`${strings[frames[i]] ?? '?'}${frames[i + 2] ? `:${frames[i + 2]}` : ''}`);
    return inlined.length ? inlined.join(' < ') : library;
  };
  const path = (trace) => {
    const names = [];
    for (let at = trace; at && names.length < FRAMES; [, at] = traces[at]) names.push(name(ips[traces[at][0]]));
    return names.filter((one, i) => one !== names[i - 1]).join(' < ');
  };
  const sites = new Map();
  counts.forEach((n, i) => {
    if (!n) return;
    const site = path(kinds[i].trace);
    sites.set(site, (sites.get(site) ?? 0) + n * kinds[i].size);
  });
  return sites;
}

if (!existsSync(FOLDER)) throw new Error('heaptrack is not installed');
const folder = mkdtempSync(join(tmpdir(), 'roda-heap-'));
const results = [];
try {
  for (const listeners of COUNTS) {
    const file = join(folder, String(listeners));
    const momentMs = await record(listeners, file);
    results.push(await read(file, momentMs));
  }
} finally {
  rmSync(folder, { recursive: true });
}
const [few, many] = results;
const each = [...new Set([...few.keys(), ...many.keys()])]
  .map((site) => ({ site, bytes: ((many.get(site) ?? 0) - (few.get(site) ?? 0)) / (COUNTS[1] - COUNTS[0]) }))
  .sort((a, b) => b.bytes - a.bytes);
console.log(`${Math.round(each.reduce((sum, { bytes }) => sum + bytes, 0))} bytes live for each of them, of which`);
for (const { site, bytes } of each.slice(0, SHOWN)) console.log(`${String(Math.round(bytes)).padStart(7)}  ${site}`);
