// What does recording a track cost the server, beside forwarding it? (script/bench record)
// SPDX-License-Identifier: MIT
//
// The same 50 tracks (25 people with camera and voice) received only, forwarded to one listener each, recorded, and both; the
// windows take turns in one run, so that a machine with other things to do is unfair to all of them alike.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stage } from './lib/measure.mjs';
import { cpuOf, sleep } from './lib/process.mjs';

export const people = 25; // two tracks each
const SETTLE_MS = 2000;

async function window(stage, seconds) {
  const { pid } = stage.server;
  stage.swarm.begin();
  const [before, start] = [cpuOf(pid), performance.now()];
  await sleep(seconds * 1000);
  const [after, end] = [cpuOf(pid), performance.now()];
  const { packets, lost, sent, expected } = await stage.swarm.end();
  const cpuS = after.exactS > before.exactS ? after.exactS - before.exactS : after.ticksS - before.ticksS;
  return { share: (cpuS * 1000) / (end - start), packets, lost, expected, sentPerS: (sent.packets * 1000) / (end - start) };
}

async function stageOf(peer, context, traffic, dir, listeners) {
  const environment = { RECORDING_DIR: dir, RECORDING_FREE_FLOOR: '0' };
  const start = (settings) => peer.start({ ...settings, environment });
  const stage = await Stage.make({ ...peer, start }, { context, traffic });
  await stage.add({ rooms: people, publishers: 1, listeners, audio: true, video: true });
  await sleep(SETTLE_MS);
  return stage;
}

// Without and with recording, in turns.
async function compare(stage, rounds, seconds) {
  const [plain, recorded] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await sleep(SETTLE_MS);
    plain.push(await window(stage, seconds));
    await stage.server.record(true);
    await sleep(SETTLE_MS);
    recorded.push(await window(stage, seconds));
    await stage.server.record(false);
  }
  return { plain, recorded };
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const share = (windows) => median(windows.map((one) => one.share));
const sum = (windows, name) => windows.reduce((total, one) => total + one[name], 0);

function checkFiles(dir) {
  let tracks = 0;
  let gaps = 0;
  for (const id of readdirSync(dir)) {
    const manifest = JSON.parse(readFileSync(join(dir, id, 'manifest.json'), 'utf8'));
    tracks += manifest.tracks.length;
    gaps += manifest.tracks.reduce((all, track) => all + track.gaps.length + track.packets_lost, 0);
  }
  return { tracks, gaps };
}

/** {received, forwarded, recorded, both}: shares of a core; `forwarding`, `recording`: of 50 tracks each. */
export async function measureRecording(context, peer, traffic, { rounds, seconds }) {
  const dir = mkdtempSync(join(tmpdir(), 'roda-bench-record-'));
  const results = [];
  try {
    for (const listeners of [0, 1]) {
      const stage = await stageOf(peer, context, traffic, dir, listeners);
      try {
        results.push(await compare(stage, rounds, seconds));
      } finally {
        await stage.stop();
      }
    }
    const [alone, heard] = results;
    // Neighbours in time are compared: what the machine does otherwise changes from minute to minute.
    const added = results.flatMap(({ plain, recorded }) => recorded.map((one, i) => one.share - plain[i].share));
    const received = share(alone.plain);
    const forwarded = share(heard.plain);
    return {
      tracks: 2 * people,
      packets_per_s: heard.plain[0].sentPerS,
      received,
      forwarded,
      recorded: share(alone.recorded),
      both: share(heard.recorded),
      forwarding: forwarded - received,
      recording: median(added),
      lost: sum(heard.plain, 'lost'),
      lost_while_recorded: sum(heard.recorded, 'lost'),
      expected_while_recorded: sum(heard.recorded, 'expected'),
      files: checkFiles(dir),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

export function describeRecording(r) {
  const percent = (value) => `${(value * 100).toFixed(1)} %`;
  return [
    `    ${r.tracks} tracks, ${Math.round(r.packets_per_s)} packets/s; CPU of the server in parts of a core:`,
    `    received ${percent(r.received)}, and forwarded ${percent(r.forwarded)}, and recorded ${percent(r.recorded)}, and both ${percent(r.both)}`,
    `    so forwarding costs ${percent(r.forwarding)}, recording ${percent(r.recording)}: ${(r.recording / r.forwarding).toFixed(2)} of forwarding to one`,
    `    lost to listeners: ${r.lost} without, ${r.lost_while_recorded} of ${r.expected_while_recorded} with recording; ${r.files.tracks} files, ${r.files.gaps} packets or gaps missing in them`,
  ].join('\n');
}
