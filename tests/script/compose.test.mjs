// Does a composed film show and sound what was recorded, when it was? (script/compose-recording)
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { grid, places, scenes, speakers, without } from '../../script/compose/plan.mjs';

const COMPOSE = fileURLToPath(new URL('../../script/compose-recording', import.meta.url));
const [WIDTH, HEIGHT] = [640, 360];

// ---- the plan

const camera = (user, start, duration, gaps = []) => ({ file: `${user}.webm`, user, source: 'camera', kind: 'video', state: 'complete', start, duration, gaps });
const people = (...users) => users.map((user) => ({ user, name: user.toUpperCase() }));
const seen = ({ from, to, faces, screens }) => [from, to, faces.map(({ user, picture }) => (picture ? user : `(${user})`)).join(' '), screens.length];

test('people come and go, cameras go off, a screen is shown', () => {
  const tracks = [
    camera('ana', 0, 10, [{ start: 4, duration: 2, reason: 'muted' }]),
    camera('bia', 2, 3),
    { ...camera('ana', 7, 2), source: 'screen', file: 's.webm' },
    { ...camera('caio', 0, 10), state: 'missing' },
  ];
  const manifest = { duration: 10, tracks, participants: people('ana', 'bia'), timeline: [] };
  assert.deepEqual(scenes(manifest).map(seen), [
    [0, 2, 'ana', 0],
    [2, 4, 'ana bia', 0],
    [4, 5, '(ana) bia', 0],
    [5, 6, '(ana)', 0],
    [6, 7, 'ana', 0],
    [7, 9, 'ana', 1],
    [9, 10, 'ana', 0],
  ]);
  assert.equal(scenes(manifest)[0].faces[0].name, 'ANA');
  assert.deepEqual(scenes({ ...manifest, tracks: [] }).map(seen), [[0, 10, '', 0]]);
});

test('gaps: short ones and still pictures are no reason to hide somebody', () => {
  const gaps = [{ start: 1, duration: 0.5, reason: 'lost' }, { start: 3, duration: 4, reason: 'idle' }];
  const manifest = { duration: 10, tracks: [camera('ana', 0, 10, gaps)], participants: [], timeline: [] };
  assert.deepEqual(scenes(manifest).map(seen), [[0, 10, 'ana', 0]]);
  assert.deepEqual(without(0, 10, [{ start: 8, duration: 5 }, { start: 2, duration: 3 }, { start: 3, duration: 1 }]), [[0, 2], [5, 8]]);
});

test('whoever speaks for a while gets the large place; a screen before anybody', () => {
  const timeline = [{ at: 0, type: 'speaker', user: 'ana' }, { at: 4, type: 'speaker', user: 'bia' }, { at: 5, type: 'speaker', user: null }, { at: 6, type: 'speaker', user: 'ana' }];
  assert.deepEqual(speakers(timeline, 10), [{ at: 0, user: 'ana' }, { at: 6, user: 'ana' }]);
  const faces = ['ana', 'bia'].map((user) => ({ user, name: user, picture: null }));
  const options = { view: 'speaker', width: 1280, height: 720 };
  const [large, small] = places({ screens: [], faces, speaker: 'bia' }, options);
  assert.deepEqual([large.user, large.width, small.user, small.x], ['bia', 1024, 'ana', 1024]);
  const screen = { file: 's', user: 'ana', name: 'ana' };
  const withScreen = places({ screens: [screen], faces, speaker: 'bia' }, options);
  assert.deepEqual([withScreen.length, withScreen[0].picture], [3, screen]);
  assert.equal(places({ screens: [], faces: [], speaker: null }, options).length, 0);
});

test('every number of people fits without overlap', () => {
  for (let count = 1; count <= 30; count++) {
    const all = grid(count, { x: 0, y: 0, width: 1280, height: 720 });
    assert.equal(all.length, count);
    for (const a of all) {
      assert.ok(a.x >= 0 && a.y >= 0 && a.x + a.width <= 1280 && a.y + a.height <= 720);
      const hits = all.filter((b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height);
      assert.equal(hits.length, 1);
    }
  }
});

// ---- the film

let dir;
before(() => (dir = mkdtempSync(join(tmpdir(), 'roda-compose-'))));
after(() => rmSync(dir, { recursive: true, force: true }));

function run(program, args, options = {}) {
  const { status, stdout, stderr } = spawnSync(program, args, { maxBuffer: 1 << 26, ...options });
  return { status, stdout, stderr: String(stderr) };
}

function ffmpeg(...args) {
  const { status, stdout, stderr } = run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

const color = (name, size, seconds, file) => ffmpeg('-f', 'lavfi', '-i', `color=c=${name}:s=${size}:r=15:d=${seconds}`, '-c:v', 'libvpx', '-b:v', '300k', '-deadline', 'realtime', join(dir, file));
const tone = (hz, seconds, file) => ffmpeg('-f', 'lavfi', '-i', `sine=frequency=${hz}:r=48000:d=${seconds}`, '-c:a', 'libopus', join(dir, file));

/** [r, g, b] of a point of the film, given in parts of its size. */
function pixel(film, at, x, y) {
  const raw = ffmpeg('-ss', String(at), '-i', film, '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-');
  const offset = (Math.floor(y * HEIGHT) * WIDTH + Math.floor(x * WIDTH)) * 3;
  return [...raw.subarray(offset, offset + 3)];
}

function looks(film, at, x, y, wanted) {
  const names = { red: [255, 0, 0], blue: [0, 0, 255], lime: [0, 255, 0], yellow: [255, 255, 0], plate: [0x26, 0x32, 0x2e], paper: [0x13, 0x1a, 0x18] };
  const found = pixel(film, at, x, y);
  assert.ok(found.every((value, i) => Math.abs(value - names[wanted][i]) < 40), `at ${at} s, ${x} ${y}: ${found}, not ${wanted}`);
}

/** How loud a tone is in a part of the film, in dB. */
function loudness(film, from, to, hz) {
  const filter = `atrim=${from}:${to},bandpass=f=${hz}:width_type=h:w=40,volumedetect`;
  const { stderr } = run('ffmpeg', ['-nostdin', '-i', film, '-af', filter, '-f', 'null', '-']);
  return Number(/mean_volume: (-?[\d.]+)/.exec(stderr)[1]);
}

function compose(...args) {
  return run(COMPOSE, args);
}

test('a session with a late comer, a camera that goes off, a screen and a new size of picture', () => {
  color('red', '320x180', 4, 'a1.webm');
  color('red', '160x90', 4, 'a2.webm'); // the line got worse
  writeFileSync(join(dir, 'list'), "file 'a1.webm'\nfile 'a2.webm'\n");
  ffmpeg('-f', 'concat', '-i', join(dir, 'list'), '-c', 'copy', join(dir, 'ana.webm'));
  color('blue', '320x180', 6, 'bia.webm');
  color('lime', '320x180', 2, 'screen.webm');
  tone(440, 8, 'ana-mic.webm');
  tone(1000, 2, 'bia1.webm');
  const track = (user, source, file, start, duration, gaps = []) => ({ file, user, source, kind: source === 'microphone' ? 'audio' : 'video', state: 'complete', start, duration, gaps });
  const manifest = {
    state: 'complete',
    duration: 8,
    participants: [{ user: 'ana', name: "Ana: d'Ávila, [50%] \\n" }, { user: 'bia' }],
    tracks: [
      track('ana', 'camera', 'ana.webm', 0, 8),
      track('bia', 'camera', 'bia.webm', 2, 6, [{ start: 6.5, duration: 1.5, reason: 'muted' }]),
      track('ana', 'screen', 'screen.webm', 4, 2),
      track('ana', 'microphone', 'ana-mic.webm', 0, 8),
      track('bia', 'microphone', 'bia1.webm', 5, 2),
    ],
    timeline: [{ at: 0, type: 'speaker', user: 'bia' }],
  };
  writeFileSync(join(dir, 'manifest.json'), JSON.stringify(manifest));
  const film = join(dir, 'session.mp4');
  const { status, stderr } = compose('--height', String(HEIGHT), dir);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, `compose-recording: composing 5 tracks of 8 s into ${film}\n`);
  assert.equal(statSync(film).mode & 0o777, 0o600); // as private as the tracks
  const length = Number(run('ffprobe', ['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', film]).stdout);
  assert.ok(Math.abs(length - 8) < 0.1, `${length} s`);
  looks(film, 1, 0.5, 0.5, 'red'); // Ana alone
  looks(film, 3, 0.25, 0.5, 'red'); // then both
  looks(film, 3, 0.75, 0.5, 'blue');
  looks(film, 3, 0.5, 0.05, 'paper');
  looks(film, 5, 0.4, 0.5, 'lime'); // the screen, and they beside it
  looks(film, 5, 0.9, 0.36, 'red');
  looks(film, 5, 0.9, 0.56, 'blue');
  looks(film, 6.2, 0.25, 0.5, 'red'); // smaller pictures fill the same place
  looks(film, 7.2, 0.25, 0.5, 'red');
  looks(film, 7.2, 0.75, 0.5, 'plate'); // Bia's camera is off
  assert.ok(loudness(film, 0.5, 7.5, 440) > -30);
  assert.ok(loudness(film, 0.5, 4.8, 1000) < -45);
  assert.ok(loudness(film, 5.2, 6.8, 1000) > -30);
  assert.ok(loudness(film, 7.3, 8, 1000) < -45);

  const other = join(dir, 'speaker.webm');
  const speaker = compose('--height', String(HEIGHT), '--view', 'speaker', '--out', other, dir);
  assert.equal(speaker.status, 0, speaker.stderr);
  looks(other, 1, 0.5, 0.5, 'red'); // the speaker is not there yet
  looks(other, 3, 0.4, 0.5, 'blue');
  looks(other, 3, 0.9, 0.5, 'red');
  looks(other, 5, 0.4, 0.5, 'lime');
});

test('what cannot be composed is said in one line', () => {
  const cases = [
    [[], /name one recording/],
    [[join(dir, 'nowhere')], /is no recording/],
    [['--view', 'cube', dir], /--view/],
    [['--height', '7', dir], /--height/],
    [['--out', 'film.avi', dir], /--out/],
    [['--loud', dir], /--loud/],
  ];
  for (const [args, pattern] of cases) {
    const { status, stderr } = compose(...args);
    assert.equal(status, 1);
    assert.match(stderr, pattern);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
  const elsewhere = mkdtempSync(join(tmpdir(), 'roda-compose-'));
  const manifest = { state: 'complete', duration: 1, participants: [], timeline: [], tracks: [{ file: '../x' }] };
  writeFileSync(join(elsewhere, 'manifest.json'), JSON.stringify(manifest));
  assert.match(compose(elsewhere).stderr, /elsewhere/);
  manifest.state = 'recording';
  writeFileSync(join(elsewhere, 'manifest.json'), JSON.stringify(manifest));
  assert.match(compose(elsewhere).stderr, /still being recorded/);
  assert.ok(!existsSync(join(elsewhere, 'session.mp4')));
  rmSync(elsewhere, { recursive: true });
  assert.equal(compose('--help').status, 0);
});
