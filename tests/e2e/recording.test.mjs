// Is a room of browsers recorded with everybody's knowledge, and are the files true?
// SPDX-License-Identifier: MIT
//
// RODA_RECORD_S: how long the room is recorded (20 s in the suite); RODA_KEEP: a folder to leave the recording in.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  dismiss,
  everybodySeesEverybody,
  gather,
  join,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';

const SECONDS = Number(process.env.RODA_RECORD_S ?? 20);
const NEAR_S = 0.5; // how far a duration may be from the truth
const COMPOSE = fileURLToPath(new URL('../../script/compose-recording', import.meta.url));

let browser, dir, server;
before(async () => {
  dir = mkdtempSync(joinPath(tmpdir(), 'roda-e2e-record-'));
  server = await startServer({ RECORDING_DIR: dir, RECORDING_FREE_FLOOR: '1', RECORDING_HOOK: 'cat >given.json; true' });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
  if (process.env.RODA_KEEP) cpSync(dir, process.env.RODA_KEEP, { recursive: true });
  rmSync(dir, { recursive: true, force: true });
});

// ---- helpers

const sleepUntil = (at) => new Promise((resolve) => setTimeout(resolve, Math.max(0, at - performance.now())));
const words = (page) => page.locator('.recording .long').allTextContents();

function run(program, ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
  return { stdout, stderr };
}

/** Decodes without a word, and is as long as the manifest says. */
function checkFile(folder, track) {
  const path = joinPath(folder, track.file);
  const probe = run('ffprobe', '-v', 'error', '-show_entries', 'format=duration:stream=codec_name', '-of', 'json', path);
  const { format, streams } = JSON.parse(probe.stdout);
  assert.equal(streams[0].codec_name, track.codec);
  assert.equal(probe.stderr, '');
  assert.ok(Math.abs(format.duration - track.duration) < 0.1, `${track.file}: ${format.duration}, not ${track.duration}`);
  const decode = run('ffmpeg', '-nostdin', '-v', 'error', '-i', path, '-map', '0', '-enc_time_base', '-1', '-f', 'null', '-');
  assert.equal(decode.stderr, '', track.file);
}

/** What happened between two looks at the clock. */
function near(value, [from, to], what) {
  const isNear = value >= from - NEAR_S && value <= to + NEAR_S;
  assert.ok(isNear, `${what}: ${value.toFixed(2)} s, in truth ${from.toFixed(2)} to ${to.toFixed(2)} s`);
}

const stop = async (page) => {
  await page.locator('button.record').click();
  await waitFor('the end of the recording', () => page.evaluate(() => roda.client.recorder.state.state === 'off'));
};

// ---- tests

test('everybody is told, whoever comes later too; only the host has the button', async () => {
  const people = await gather(browser, server, 2);
  const [ana, bia] = people;
  assert.equal(await ana.page.locator('button.record').isVisible(), true);
  assert.equal(await bia.page.locator('button.record').isVisible(), false);
  assert.deepEqual(await words(bia.page), []);
  await ana.page.locator('button.record').click();
  await ana.page.locator('dialog button[value=record]').click();
  await waitFor('the notice', () => bia.page.locator('dialog.question').isVisible());
  assert.match(await bia.page.locator('dialog.question p').textContent(), /Ana está gravando/);
  await bia.page.locator('dialog button[value=stay]').click();
  assert.deepEqual(await words(bia.page), ['Esta consulta está sendo gravada']);
  assert.deepEqual(await words(ana.page), ['Esta consulta está sendo gravada']);
  assert.equal(await ana.page.locator('dialog').count(), 0);

  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 375, height: 680 } }); // a phone
  const id = await join(page, { url: server.url, room: ana.room, name: 'Caio' });
  people.push({ page, id, name: 'Caio', room: ana.room });
  await waitFor('the notice for a latecomer', () => page.locator('dialog.question').isVisible());
  assert.match(await page.locator('dialog.question p').textContent(), /Ana is recording/);
  if (process.env.RODA_SHOTS) await page.screenshot({ path: `${process.env.RODA_SHOTS}/recording-notice-phone.png` });
  await page.locator('dialog button[value=quiet]').click();
  const isQuiet = () => page.evaluate(() => !roda.media.isOn('microphone') && !roda.media.isOn('camera'));
  await waitFor('microphone and camera off', isQuiet);
  assert.equal(await page.locator('.recording .short').isVisible(), true);
  if (process.env.RODA_SHOTS) {
    await page.screenshot({ path: `${process.env.RODA_SHOTS}/recording-phone.png` });
    await ana.page.setViewportSize({ width: 1200, height: 700 });
    await ana.page.screenshot({ path: `${process.env.RODA_SHOTS}/recording-host.png` });
  }
  await stop(ana.page);
  await waitFor('no mark', async () => (await words(bia.page)).length === 0);
  noProblems(people);
  await dismiss(people);
});

// Times are the test's own, in seconds since the server said that the recording is on.
test('a publisher leaves and returns, one is muted, one shares the screen: the files say when', async (t) => {
  const people = await gather(browser, server, 3);
  const [ana, bia, caio] = people;
  await everybodySeesEverybody(people, null);
  const asked = performance.now();
  await ana.page.evaluate(() => roda.client.recorder.start());
  const start = performance.now();
  const now = () => (performance.now() - start) / 1000;
  const during = async (action) => {
    const from = now();
    await action();
    return [from, now()];
  };
  const begin = [(asked - start) / 1000, 0];
  const until = (part) => sleepUntil(start + part * SECONDS * 1000);
  const { recordingId } = await ana.page.evaluate(() => roda.client.recorder.state);
  for (const { page } of [bia, caio]) await page.locator('dialog button[value=stay]').click();

  await until(0.2);
  const mutedAt = await during(() => bia.page.evaluate(() => roda.client.setEnabled('microphone', false)));
  await until(0.35);
  const leftAt = await during(() => caio.page.evaluate(() => roda.client.leave()));
  await until(0.4);
  const sharedAt = await during(() => ana.page.evaluate(() => roda.media.shareScreen()));
  await until(0.5);
  const unmutedAt = await during(() => bia.page.evaluate(() => roda.client.setEnabled('microphone', true)));
  await until(0.55);
  await caio.page.close();
  caio.page = await browser.newPage();
  const returnedAt = await during(async () => {
    caio.id = await join(caio.page, { url: server.url, room: ana.room, name: 'Caio' });
  });
  await waitFor('the notice', () => caio.page.locator('dialog.question').isVisible());
  await caio.page.locator('dialog button[value=stay]').click();
  await until(0.8);
  const unsharedAt = await during(() => ana.page.evaluate(() => roda.media.stopScreen()));
  await until(1);
  const end = await during(() => ana.page.evaluate(() => roda.client.recorder.stop()));

  const answer = await (await fetch(`${server.url}/api/recordings/${recordingId}`)).json();
  const folder = joinPath(dir, recordingId);
  const manifest = JSON.parse(readFileSync(joinPath(folder, 'manifest.json'), 'utf8'));
  assert.deepEqual({ ...manifest, id: recordingId }, answer);
  assert.equal(manifest.state, 'complete');
  assert.equal(manifest.room.id, ana.room);
  assert.deepEqual(new Set(manifest.participants.map(({ name }) => name)), new Set(['Ana', 'Bia', 'Caio']));
  near(manifest.duration, end, 'the session');

  const parts = (userId, source) => manifest.tracks.filter((one) => one.user === userId && one.source === source);
  const lasts = (track, from, to, what) => {
    near(track.start, from, `${what} begins`);
    near(track.start + track.duration, to, `${what} ends`);
    const truth = [from, to].map((range) => range.map((at) => at.toFixed(2)).join('..')).join(' to ');
    t.diagnostic(`${what}: ${track.start} to ${(track.start + track.duration).toFixed(3)}, truth ${truth}`);
  };
  for (const source of ['microphone', 'camera']) {
    lasts(parts(ana.id, source)[0], begin, end, `Ana's ${source}`);
    lasts(parts(bia.id, source)[0], begin, end, `Bia's ${source}`);
    const [first, second] = manifest.tracks.filter(({ user, source: is }) => is === source && user !== ana.id && user !== bia.id);
    lasts(first, begin, leftAt, `Caio's ${source}`);
    lasts(second, returnedAt, end, `Caio's ${source} again`);
  }
  lasts(parts(ana.id, 'screen')[0], sharedAt, unsharedAt, 'the screen');
  const [gap] = parts(bia.id, 'microphone')[0].gaps.filter(({ reason }) => reason === 'muted');
  near(gap.start, mutedAt, 'silence begins');
  near(gap.start + gap.duration, unmutedAt, 'silence ends');
  for (const type of ['joined', 'left', 'muted', 'unmuted', 'published', 'unpublished', 'speaker']) {
    assert.ok(manifest.timeline.some((entry) => entry.type === type), `the timeline has ${type}`);
  }
  for (const track of manifest.tracks) checkFile(folder, track);

  const { file } = manifest.tracks[0];
  const url = `${server.url}/api/recordings/${recordingId}/files/${file}`;
  const part = await fetch(url, { headers: { Range: 'bytes=0-3' } });
  assert.equal(part.status, 206);
  assert.deepEqual(new Uint8Array(await part.arrayBuffer()), new Uint8Array([0x1a, 0x45, 0xdf, 0xa3])); // EBML's mark
  const whole = await fetch(url);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), readFileSync(joinPath(folder, file)));
  await waitFor('the hook', () => existsSync(joinPath(folder, 'hook.exit')));
  assert.equal(JSON.parse(readFileSync(joinPath(folder, 'given.json'), 'utf8')).state, 'complete');

  if (existsSync(COMPOSE)) {
    run(COMPOSE, '--height', '360', folder);
    const probe = run('ffprobe', '-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', joinPath(folder, 'session.mp4'));
    near(Number(probe.stdout), end, 'the composed session');
  }
  noProblems(people);
  await dismiss(people);
  assert.ok(readdirSync(dir).includes(recordingId));
  if (process.env.RODA_KEEP) return;
  assert.equal((await fetch(`${server.url}/api/recordings/${recordingId}`, { method: 'DELETE' })).status, 200);
  assert.ok(!readdirSync(dir).includes(recordingId));
});

// ---- lips

const LIPS_S = 0.06;

/** In the page: a picture that flashes every second, and a beep with each flash. */
async function clap() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
  const picture = canvas.getContext('2d');
  const sound = new AudioContext();
  const tone = new OscillatorNode(sound, { frequency: 1000 });
  const volume = new GainNode(sound, { gain: 0 });
  const out = sound.createMediaStreamDestination();
  tone.connect(volume).connect(out);
  tone.start();
  await sound.resume();
  let last = false;
  const draw = () => {
    const isOn = sound.currentTime % 1 < 0.3;
    picture.fillStyle = isOn ? 'white' : 'black';
    picture.fillRect(0, 0, 320, 240);
    if (isOn !== last) volume.gain.value = isOn ? 0.8 : 0;
    last = isOn;
  };
  setInterval(draw, 10);
  await roda.client.publish('camera', canvas.captureStream(30).getVideoTracks()[0]);
  await roda.client.publish('microphone', out.stream.getAudioTracks()[0]);
}

/** The moments at which something begins, in seconds since the recording did. */
function flashes(folder, { file, start }) {
  const frames = run('ffprobe', '-v', 'error', '-f', 'lavfi', '-i', `movie=${joinPath(folder, file)},signalstats`, '-show_entries', 'frame=pts_time:frame_tags=lavfi.signalstats.YAVG', '-of', 'csv=p=0');
  const lines = frames.stdout.trim().split('\n').map((line) => line.split(',').map(Number));
  return lines.filter(([, light], i) => light > 128 && (lines[i - 1]?.[1] ?? 255) <= 128).map(([at]) => start + at);
}

function beeps(folder, { file, start }) {
  const rate = 8000;
  const args = ['-nostdin', '-v', 'error', '-i', joinPath(folder, file), '-af', 'aresample=async=1:first_pts=0', '-ar', String(rate), '-ac', '1', '-f', 's16le', '-'];
  const { stdout } = spawnSync('ffmpeg', args, { maxBuffer: 1 << 26 });
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, stdout.length >> 1);
  const found = [];
  let quiet = 0;
  samples.forEach((sample, i) => {
    const isLoud = Math.abs(sample) > 3000;
    if (isLoud && quiet > rate / 5) found.push(start + i / rate);
    quiet = isLoud ? 0 : quiet + 1;
  });
  return found;
}

test('sound and picture of one moment are together in the files', async (t) => {
  const people = await gather(browser, server, 2);
  const [ana, bia] = people;
  await everybodySeesEverybody(people, null);
  await ana.page.evaluate(clap);
  await ana.page.evaluate(() => roda.client.recorder.start());
  await bia.page.locator('dialog button[value=stay]').click();
  await new Promise((resolve) => setTimeout(resolve, (SECONDS / 2) * 1000));
  const { recordingId } = await ana.page.evaluate(() => roda.client.recorder.state);
  await ana.page.evaluate(() => roda.client.recorder.stop());
  const folder = joinPath(dir, recordingId);
  const { tracks } = JSON.parse(readFileSync(joinPath(folder, 'manifest.json'), 'utf8'));
  const find = (source) => tracks.find((track) => track.user === ana.id && track.source === source);
  const seen = flashes(folder, find('camera'));
  const heard = beeps(folder, find('microphone'));
  const pairs = seen.flatMap((at) => heard.filter((other) => Math.abs(other - at) < 0.4).map((other) => (other - at) * 1000));
  t.diagnostic(`sound after picture, ms: ${pairs.map((ms) => ms.toFixed(0)).join(' ')}`);
  assert.ok(pairs.length >= SECONDS / 4, `${pairs.length} claps`);
  const middle = pairs.toSorted((a, b) => a - b)[pairs.length >> 1]; // a busy machine draws some flashes late
  assert.ok(Math.abs(middle) <= LIPS_S * 1000, `they are ${middle} ms apart`);
  await dismiss(people);
});
