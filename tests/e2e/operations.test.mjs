// What does whoever runs the server see of a real call, and does the call end before the server does?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as pathOf } from 'node:path';
import { after, before, test } from 'node:test';
import { dismiss, everybodySeesEverybody, gather, startChromium, startServer, waitFor } from './harness.mjs';

const LOG = pathOf(tmpdir(), `roda-operations-${process.pid}.log`);
const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

let server, browser, people, log;
before(async () => {
  log = openSync(LOG, 'w');
  server = await startServer({ LOG_LEVEL: 'info', LOG_FORMAT: 'json', DRAIN_TIMEOUT: '600' }, { log });
  browser = await startChromium();
  people = await gather(browser, server, 2);
  await everybodySeesEverybody(people);
});
after(async () => {
  await browser?.stop();
  await server?.stop('SIGINT');
  closeSync(log);
  rmSync(LOG, { force: true });
});

async function ask(path, headers = {}) {
  const response = await fetch(server.url + path, { headers });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

test('the statistics of the room have what is sent and received, in numbers', async () => {
  const [ana, bia] = people;
  const look = async () => {
    const answer = JSON.parse((await ask('/api/webrtc/stats')).text);
    const [room] = answer.rooms;
    const { media } = room.participants.find(({ userId }) => userId === ana.id);
    const camera = media.published.find(({ source }) => source === 'camera');
    const received = media.received.find(({ userId, source }) => userId === bia.id && source === 'camera');
    // Reports come once a second, bitrates are of the last second.
    assert.ok(camera.bitrateBps > 10000, 'bitrate');
    assert.ok(received.bitrateBps > 10000 && received.rttMs > 0, 'received');
    return { answer, room, media, camera, received };
  };
  const { answer, room, media, camera, received } = await waitFor('numbers', look);
  assert.deepEqual([answer.totalRooms, answer.totalParticipants, answer.totalConnections], [1, 2, 2]);
  assert.equal(room.roomId, ana.room);
  assert.equal(media.state, 'connected');
  assert.deepEqual(media.published.map(({ source }) => source).sort(), ['camera', 'microphone']);
  for (const key of ['packetsExpected', 'packetsReceived', 'packetsLost', 'lossPercent', 'jitterMs', 'spatialLayer']) {
    assert.equal(typeof camera.layers[0][key], 'number', key);
  }
  for (const key of ['packetsLost', 'lossPercent', 'jitterMs', 'rttMs', 'packetsSent', 'spatialLayer']) {
    assert.equal(typeof received[key], 'number', key);
  }
});

function valueOf(text, series) {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  assert.ok(line, series);
  return Number(line.slice(series.length + 1));
}

test('Prometheus reads what happened', async () => {
  const forwarded = async () => valueOf((await ask('/metrics')).text, 'roda_media_forwarded_packets_total') > 100;
  await waitFor('packets to be counted', forwarded);
  const { status, type, text } = await ask('/metrics');
  assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  assert.equal(valueOf(text, 'roda_participants'), 2);
  assert.equal(valueOf(text, 'roda_media_connections_total'), 2);
  assert.equal(valueOf(text, 'roda_media_dtls_failures_total'), 0);
  for (const word of [...people.flatMap(({ id, name, room }) => [id, name, room]), '127.0.0.1']) {
    assert.ok(!text.includes(word), word);
  }
  const open = await ask('/metrics', { accept: 'application/openmetrics-text; version=1.0.0' });
  assert.ok(open.type.startsWith('application/openmetrics-text') && open.text.endsWith('# EOF\n'));
  if (!hasPromtool) return;
  const checked = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
});

test('a stopping server tells the people, lets them go on, and ends when they have left', async () => {
  process.kill(server.pid, 'SIGTERM');
  for (const { page } of people) await page.getByText('O servidor vai reiniciar', { exact: true }).waitFor();
  assert.equal((await ask('/health')).status, 503);
  await everybodySeesEverybody(people);
  const late = await browser.newPage();
  await late.goto(`${server.url}/paciente/${people[0].room}`);
  await late.locator('#name').fill('Tarde');
  await late.locator('button[type=submit]').click();
  await late.getByText('O servidor vai reiniciar: tente de novo').waitFor();
  await late.close();
  await people[1].page.reload(); // who is in comes back
  await waitFor('to be back', () => people[1].page.evaluate(() => roda.client.status === 'joined'));
  await dismiss(people);
  assert.equal(await server.exited, 0);
});

test('its log says what happened, and to nobody', () => {
  const text = readFileSync(LOG, 'utf8');
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const about = lines.filter(({ room }) => room);
  assert.ok(about.length >= 6 && new Set(about.map(({ room }) => room)).size === 1);
  assert.ok(about.some(({ area, message }) => area === 'media' && message.includes('connected')));
  for (const word of people.flatMap(({ id, name, room }) => [id, name, room]).concat('candidate', 'v=0', 'Tarde')) {
    assert.ok(!text.includes(word), word);
  }
});
