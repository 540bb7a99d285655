// Who gets in where tokens are asked for, and where does the token go?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import {
  dismiss,
  everybodySeesEverybody,
  joinedAs,
  newRoom,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';

const SECRET = 'a secret of thirty-two bytes or so';

let server, browser;
before(async () => {
  server = await startServer({ JWT_SECRET: SECRET, BIND: '127.0.0.1' });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

function token(claims, secret = SECRET) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

async function enter(path, name) {
  const page = await browser.newPage();
  await page.goto(server.url + path);
  await waitFor('the camera', () => page.evaluate(() => roda.media?.isOn('camera')));
  await page.locator('#name').fill(name);
  await page.locator('button[type=submit]').click();
  return page;
}

test('a token lets in under its own name and leaves the address bar; a reload still has it', async () => {
  const room = newRoom();
  const people = [];
  for (const [sub, role, path] of [
    ['dr-ana', 'host', 'medico'],
    ['bia', 'participant', 'paciente'],
  ]) {
    const jwt = token({ sub, name: sub.toUpperCase(), role, room });
    const page = await enter(`/${path}/${room}?video=320x240@15#token=${jwt}`, 'somebody else');
    people.push({ page, name: sub, id: await waitFor(`${sub} in the room`, () => joinedAs(page)) });
    assert.ok(!page.url().includes(jwt));
  }
  const [ana, bia] = people;
  assert.deepEqual(
    people.map(({ id }) => id),
    ['dr-ana', 'bia'],
  );
  assert.deepEqual(await Promise.all(people.map(({ page }) => page.evaluate(() => roda.client.isHost))), [
    true,
    false,
  ]);
  await everybodySeesEverybody(people);
  const shown = await ana.page.locator('.tile[data-user=bia] .name').textContent();
  assert.equal(shown, 'BIA', 'the name is the one in the token');
  await bia.page.reload();
  await waitFor('to be back', () => joinedAs(bia.page));
  await everybodySeesEverybody(people);
  noProblems(people);
  await dismiss(people);
});

test('no token, a foreign one and one of another room are told, not retried for ever', async () => {
  const room = newRoom();
  const wrong = {
    none: '',
    foreign: `#token=${token({ sub: 'x', role: 'host', room }, 'another secret of thirty-two bytes')}`,
    elsewhere: `#token=${token({ sub: 'x', role: 'host', room: 'another-room' })}`,
    expired: `#token=${token({ sub: 'x', role: 'host', room, exp: 1 })}`,
  };
  for (const [what, hash] of Object.entries(wrong)) {
    const page = await enter(`/medico/${room}${hash}`, 'X');
    await page.locator('.notice .problem-box').waitFor();
    await waitFor(what, async () => /não permite a entrada/.test(await page.locator('.card').textContent()));
    assert.equal(await page.locator('button[type=submit]').isEnabled(), true);
    await page.close();
  }
  assert.equal((await server.health()).rooms, 0);
});

test('the lines an integrator finds first, in the README of signaling/, hold a call', async () => {
  const readme = readFileSync(new URL('../../signaling/README.md', import.meta.url), 'utf8');
  const code = /```js\n([^]*?)```/.exec(readme)[1];
  const people = [];
  for (const name of ['ana', 'bia']) {
    const page = await browser.newPage();
    await page.goto(`${server.url}/teste-video`);
    await page.evaluate(`(async () => {
      const roda = '${server.url}';
      const token = '${token({ sub: name, name, room: 'consulta-7' })}';
      const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
      const show = (track, user) => shown.push([track, user]);
      globalThis.shown = [];
      ${code}
    })()`);
    people.push({ page, name });
  }
  for (const [one, other] of [people, [...people].reverse()]) {
    await waitFor(`${one.name} to see and hear ${other.name}`, () =>
      one.page.evaluate((id) => shown.filter(([track, user]) => user === id && !track.muted).length === 2, other.name),
    );
  }
  noProblems(people);
  for (const { page } of people) await page.close();
});
