// Does a program beside the server get a participant's voice as plain RTP, with everybody's knowledge?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dismiss, gather, join as enter, joinedAs, noProblems, startChromium, startServer, waitFor } from './harness.mjs';

let browser, server;
before(async () => {
  server = await startServer({ TAP_TARGETS: '127.0.0.1' });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

// ---- helpers

const MARK = 'Uma cópia ao vivo desta consulta está sendo enviada: transcrição ou transmissão';
const marks = (page) => page.locator('.copied .words').allTextContents();

/** {port, packets, close()}: a program that waits for RTP; a packet is {version, pt, sequence, ssrc, size}. */
async function listener() {
  const socket = createSocket('udp4');
  const packets = [];
  socket.on('message', (data) => {
    const [first, second] = data;
    packets.push({
      version: first >> 6,
      pt: second & 0x7f,
      sequence: data.readUInt16BE(2),
      ssrc: data.readUInt32BE(8),
      size: data.length - 12,
    });
  });
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, packets, close: () => socket.close() };
}

async function ask(method, path, body) {
  const headers = body ? { 'content-type': 'application/json' } : {};
  const response = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: response.status, ...(await response.json()) };
}

/** The only tap of the room, once its stream has begun. */
function activeTap(room) {
  return waitFor('the stream', async () => {
    const { taps } = await ask('GET', `/api/rooms/${room}/taps`);
    return taps[0]?.active && taps[0];
  });
}

async function packetsRising({ packets }, pt) {
  const { length } = packets;
  await waitFor('RTP', () => packets.length >= length + 20);
  for (const packet of packets.slice(length)) {
    assert.equal(packet.version, 2);
    assert.equal(packet.pt, pt);
    assert.ok(packet.size > 0);
  }
}

/** What ffmpeg makes of the stream with nothing but the SDP: seconds of sound. */
function decoded(sdp) {
  const dir = mkdtempSync(join(tmpdir(), 'roda-e2e-taps-'));
  const file = join(dir, 'tap.sdp');
  writeFileSync(file, sdp);
  const read = ['-protocol_whitelist', 'file,udp,rtp', '-i', file];
  const ffmpeg = spawn('ffmpeg', ['-nostdin', '-v', 'error', ...read, '-t', '1', '-f', 's16le', '-ac', '1', '-ar', '16000', '-']);
  let size = 0;
  ffmpeg.stdout.on('data', (data) => (size += data.length));
  return new Promise((resolve) =>
    ffmpeg.once('close', (status) => {
      rmSync(dir, { recursive: true, force: true });
      resolve({ status, seconds: size / 2 / 16000 });
    }),
  );
}

// ---- tests

test('a microphone arrives as the SDP says, everybody sees the mark, and it goes on after a reload', async () => {
  const people = await gather(browser, server, 2);
  const [ana, bia] = people;
  const program = await listener();
  const routes = `/api/rooms/${ana.room}/taps`;
  const wish = { userId: bia.id, source: 'microphone', address: '127.0.0.1', port: program.port };
  assert.deepEqual(await marks(bia.page), []);
  const made = await ask('POST', routes, wish);
  assert.equal(made.status, 201);
  await waitFor('the mark of who is copied', async () => (await marks(bia.page))[0] === MARK);
  await waitFor('the mark of the other', async () => (await marks(ana.page))[0] === MARK);

  const { sdp } = await activeTap(ana.room);
  const [, port, pt] = /^m=audio (\d+) RTP\/AVP (\d+)/m.exec(sdp);
  assert.equal(Number(port), program.port);
  assert.match(sdp, new RegExp(`^a=rtpmap:${pt} opus/48000/2`, 'im'));
  await packetsRising(program, Number(pt));

  const page = await browser.newPage({ locale: 'en-GB', viewport: { width: 375, height: 680 } }); // a phone
  const id = await enter(page, { url: server.url, room: ana.room, name: 'Caio' });
  people.push({ page, id, name: 'Caio', room: ana.room });
  await waitFor('the mark of a latecomer', async () => /A live copy of this consultation/.test(await marks(page)));
  const { x, width } = await page.locator('.copied .words').boundingBox();
  assert.ok(x >= 0 && x + width <= 375, `the mark is from ${x} to ${x + width} on a phone`);
  if (process.env.RODA_SHOTS) {
    await page.screenshot({ path: `${process.env.RODA_SHOTS}/taps-phone.png` });
    await ana.page.setViewportSize({ width: 1400, height: 700 });
    await ana.page.screenshot({ path: `${process.env.RODA_SHOTS}/taps-wide.png` });
  }

  await bia.page.reload();
  await waitFor('her page to be back', () => joinedAs(bia.page));
  assert.deepEqual(await marks(bia.page), [MARK]);
  await activeTap(ana.room);
  await packetsRising(program, Number(pt));

  program.close(); // its port is another program's now
  const { status, seconds } = await decoded(sdp);
  assert.equal(status, 0);
  assert.ok(seconds > 0.9 && seconds <= 1, `${seconds} s of sound, not 1`);

  assert.equal((await ask('DELETE', `${routes}/${made.id}`)).status, 200);
  await waitFor('no mark', async () => (await marks(bia.page)).length === 0);
  noProblems(people);
  await dismiss(people);
});
