// Is a room made over HTTP what was asked for, and does a phone read its QR code?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { startServer } from './harness.mjs';

const ZBARIMG = '/usr/bin/zbarimg';

let server;
before(async () => (server = await startServer({ APP_DOMAIN: 'https://clinica.example.org' })));
after(() => server?.stop());

async function ask(method, path, body) {
  const options = { method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) };
  const response = await fetch(server.url + path, options);
  return { status: response.status, ...(await response.json()) };
}

test('another program reads the QR code back', { skip: !existsSync(ZBARIMG) && 'zbar-tools is not installed' }, async () => {
  const longest = `${'Sala-de-espera.'.repeat(8)}~_.-1234`;
  for (const roomId of [undefined, 'a', longest]) {
    const room = await ask('POST', '/api/rooms', { roomId });
    assert.equal(room.status, 201);
    const [head, data] = room.qrDataUrl.split(',');
    assert.equal(head, 'data:image/png;base64');
    const options = { input: Buffer.from(data, 'base64'), stdio: ['pipe', 'pipe', 'ignore'] };
    const read = execFileSync(ZBARIMG, ['--quiet', '--raw', '-Sdisable', '-Sqrcode.enable', '-'], options);
    assert.equal(read.toString().trim(), room.joinURL);
    assert.equal(room.joinURL, `https://clinica.example.org/participant/${room.roomId}`);
  }
});

test('what a room asks can be set, seen and changed; never the password', async () => {
  const rules = { roomId: 'sala', name: 'Dra. Sol', password: 'maré alta', maxParticipants: 2, waitingRoom: true };
  const made = await ask('POST', '/api/rooms', { ...rules, expiresIn: 3600 });
  const { name, hasPassword, maxParticipants, waitingRoom, locked, participantCount } = made;
  assert.deepEqual([name, hasPassword, maxParticipants, waitingRoom, locked], ['Dra. Sol', true, 2, true, false]);
  assert.equal(participantCount, 0);
  assert.equal(Date.parse(made.expiresAt) - Date.parse(made.createdAt), 3_600_000);
  const seen = await ask('GET', '/api/rooms/sala');
  assert.ok(!JSON.stringify([made, seen]).includes('maré'));
  const changed = await ask('PATCH', '/api/rooms/sala', { password: null, locked: true });
  assert.deepEqual([changed.hasPassword, changed.locked, changed.waitingRoom], [false, true, true]);
  const wrong = await ask('PATCH', '/api/rooms/sala', { maxParticipants: 'many' });
  assert.equal(wrong.status, 400);
  assert.match(wrong.error.message, /^maxParticipants/);
});
