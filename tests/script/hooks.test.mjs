// Do the example hooks do what they say? (docker/hooks, with stand-ins for the storage and the transcriber)
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const HOOKS = fileURLToPath(new URL('../../docker/hooks/', import.meta.url));
const [KEY, SECRET, REGION] = ['AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG', 'eu-test-1'];
const SILENCE_S = 1;

let base, recording;
before(() => {
  base = mkdtempSync(join(tmpdir(), 'roda-hooks-'));
  recording = join(base, '20260131T100000Z-aaaaaaaaaa');
  mkdirSync(recording);
  writeFileSync(join(recording, '1-camera-ana.webm'), 'picture');
  writeFileSync(join(recording, 'hook.started'), '');
  const track = (file, source, state = 'complete') => ({ file, source, state });
  const tracks = [track('1-camera-ana.webm', 'camera'), track('2-microphone-ana.webm', 'microphone'), track('3-microphone-bia.webm', 'microphone', 'missing')];
  writeFileSync(join(recording, 'manifest.json'), JSON.stringify({ state: 'complete', tracks }));
});
after(() => rmSync(base, { recursive: true, force: true }));

function run(hook, env) {
  const child = spawn(join(HOOKS, hook), [join(recording, 'manifest.json')], { env: { PATH: process.env.PATH, ...env } });
  let said = '';
  child.stdout.on('data', (data) => (said += data));
  child.stderr.on('data', (data) => (said += data));
  return new Promise((done) => child.on('exit', (status) => done({ status, said })));
}

test('the shell finds nothing to complain of', { skip: spawnSync('shellcheck', ['--version']).error && 'no shellcheck' }, () => {
  const { status, stdout } = spawnSync('shellcheck', ['upload-s3', 'transcribe', '../../script/compose-recording'], { cwd: HOOKS });
  assert.equal(status, 0, String(stdout));
});

// ---- storage

const hmac = (key, text) => createHmac('sha256', key).update(text).digest();
const sha256 = (data) => createHash('sha256').update(data).digest('hex');

// Signature Version 4 as the storage computes it.
function isSigned({ method, url, headers }, body) {
  const found = /Credential=([^/]+)\/(\d+)\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(headers.authorization ?? '');
  if (!found || headers['x-amz-content-sha256'] !== sha256(body)) return false;
  const [, key, day, region, names, signature] = found;
  const lines = names.split(';').map((name) => `${name}:${headers[name].trim()}\n`);
  const request = [method, url, '', lines.join(''), names, headers['x-amz-content-sha256']].join('\n');
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], `${day}/${region}/s3/aws4_request`, sha256(request)].join('\n');
  const signing = ['s3', 'aws4_request'].reduce(hmac, hmac(hmac(`AWS4${SECRET}`, day), region));
  return key === KEY && region === REGION && hmac(signing, toSign).toString('hex') === signature;
}

// Fails `failures` times, as storage does.
async function storage(failures) {
  const stored = new Map();
  const server = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const status = failures-- > 0 ? 503 : isSigned(request, body) ? 200 : 403;
      if (status === 200) stored.set(request.url, body);
      response.writeHead(status).end();
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { stored, url: `http://127.0.0.1:${server.address().port}/bucket`, stop: () => server.close() };
}

test('upload: everything arrives signed, the manifest last, after a failure too', async () => {
  const { stored, url, stop } = await storage(1);
  const { status, said } = await run('upload-s3', { S3_URL: url, S3_KEY: KEY, S3_SECRET: SECRET, S3_REGION: REGION });
  stop();
  assert.equal(status, 0, said);
  const folder = '/bucket/recordings/20260131T100000Z-aaaaaaaaaa/';
  assert.deepEqual([...stored.keys()], [`${folder}1-camera-ana.webm`, `${folder}manifest.json`]);
  assert.equal(String(stored.get(`${folder}1-camera-ana.webm`)), 'picture');
});

test('upload: a wrong secret is a failure, and none is named where others read', async () => {
  const { stored, url, stop } = await storage(0);
  const { status, said } = await run('upload-s3', { S3_URL: url, S3_KEY: KEY, S3_SECRET: 'wrong-one', S3_REGION: REGION });
  stop();
  assert.notEqual(status, 0);
  assert.ok(!said.includes('wrong-one'));
  assert.equal(stored.size, 0);
  assert.notEqual((await run('upload-s3', {})).status, 0);
});

// ---- transcriber

test('transcribe: each voice that is there', async () => {
  const sound = ['-nostdin', '-v', 'error', '-f', 'lavfi', '-i', `sine=d=${SILENCE_S}`, '-c:a', 'libopus', join(recording, '2-microphone-ana.webm')];
  await new Promise((done) => spawn('ffmpeg', sound).on('exit', done));
  const stand = join(base, 'transcriber');
  writeFileSync(stand, '#!/bin/sh\n[ "$1" = --model ] && [ "$2" = m ] || exit 1\nhead -c 4 "$4" >"$3.vtt"\n', { mode: 0o755 });
  const { status, said } = await run('transcribe', { TRANSCRIBE: `${stand} --model m` });
  assert.equal(status, 0, said);
  assert.equal(readFileSync(join(recording, '2-microphone-ana.webm.vtt'), 'utf8'), 'RIFF');
  assert.deepEqual(readdirSync(recording).filter((name) => name.endsWith('.vtt')), ['2-microphone-ana.webm.vtt']);
  const failing = await run('transcribe', { TRANSCRIBE: 'false' });
  assert.notEqual(failing.status, 0);
});
