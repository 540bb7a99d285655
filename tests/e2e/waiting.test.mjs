// Does the host decide who comes in: waiting room, lock and password, as people see them in the page?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  dismiss,
  framesRising,
  heard,
  join,
  joinedAs,
  newRoom,
  noProblems,
  openLobby,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { isWellFormed, shoot } from './look.mjs';

let server, browser;
let people = [];
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});
afterEach(async () => {
  await dismiss(people);
  people = [];
});

async function newPerson(name, options) {
  const one = { page: await browser.newPage(options), name };
  people.push(one);
  return one;
}

async function host(room) {
  const ana = await newPerson('Ana');
  ana.id = await join(ana.page, { url: server.url, room, role: 'host', name: 'Ana' });
  return ana;
}

/** Fills in the lobby and presses the button, without waiting for what comes of it. */
async function ask(one, room) {
  await openLobby(one.page, { url: server.url, room });
  await one.page.locator('#name').fill(one.name);
  await one.page.locator('button[type=submit]').click();
}

/** The host turns a switch in the list of people, with the keyboard. */
async function turn(ana, name) {
  if (await ana.page.locator('#page-people').isHidden()) await ana.page.keyboard.press('p');
  await ana.page.locator(`[data-switch=${name}]`).focus();
  await ana.page.keyboard.press('Space');
}

async function createRoom(rules) {
  const room = newRoom();
  const body = JSON.stringify({ roomId: room, ...rules });
  const response = await fetch(`${server.url}/api/rooms`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  assert.equal(response.status, 201);
  return room;
}

async function isIn(one) {
  one.id = await waitFor(`${one.name} to be in the room`, () => joinedAs(one.page));
}

const ALARM = /403|Forbidden/; // nothing else may be complained of

test('waiting room: nothing is seen before the host says yes, then the call begins by itself', async () => {
  const room = newRoom();
  const ana = await host(room);
  await turn(ana, 'waiting-room');
  await waitFor('the rule', () => ana.page.evaluate(() => roda.client.room.waitingRoom));
  await ana.page.keyboard.press('p'); // closed: the card over the stage tells

  const bia = await newPerson('Bia', { viewport: { width: 390, height: 760 } });
  await ask(bia, room);
  await bia.page.locator('.door').waitFor();
  assert.match(await bia.page.locator('h1').textContent(), /vai deixar você entrar/);
  assert.equal(await bia.page.evaluate(() => roda.client.status), 'waiting');
  assert.equal(await bia.page.evaluate(() => roda.client.participants.size), 0);
  assert.equal(await bia.page.evaluate(() => roda.client.connection), null);
  await waitFor('the picture of oneself', () =>
    bia.page.evaluate(() => document.querySelector('.mirror video').videoWidth > 0),
  );
  const wide = await bia.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(wide, 'nothing sticks out of a phone');

  await ana.page.locator('.knock-card').waitFor();
  assert.match(await ana.page.locator('.knock-card p').textContent(), /Bia/);
  await ana.page.locator('.knock-card .accent').click();
  await isIn(bia);
  await framesRising(ana.page, bia.id);
  await heard(bia.page, ana.id);
  assert.ok(await ana.page.locator('.knock-card').isHidden());
  noProblems(people);
});

test('sent away, one may ask again; several are let in at once; whoever gives up is not shown any more', async () => {
  const room = await createRoom({ waitingRoom: true });
  const bia = await newPerson('Bia');
  await ask(bia, room);
  await bia.page.locator('.door').waitFor();
  const ana = await host(room); // the host comes later and is told
  await ana.page.locator('.knock-card').waitFor();
  await ana.page.keyboard.press('p');
  await ana.page.locator('[data-action^="deny/"]').focus();
  await ana.page.keyboard.press('Enter');
  await bia.page.locator('.problem-box').waitFor();
  assert.match(await bia.page.locator('.problem-box').textContent(), /não deixou/);
  assert.ok(await ana.page.locator('.waiting-people').isHidden());

  await bia.page.locator('button[type=submit]').click();
  const caio = await newPerson('Caio');
  await ask(caio, room);
  const davi = await newPerson('Davi');
  await ask(davi, room);
  await waitFor('three to wait', () => ana.page.evaluate(() => roda.client.knocks.size === 3));
  await davi.page.locator('.door button').click();
  await davi.page.locator('button[type=submit]').waitFor(); // back at the form
  await waitFor('two to wait', () => ana.page.evaluate(() => roda.client.knocks.size === 2));
  await ana.page.locator('[data-action=admit-all]').click();
  await Promise.all([isIn(bia), isIn(caio)]);
  await framesRising(caio.page, bia.id);
  noProblems(people);
});

test('a reload while waiting waits on; a reload inside does not wait', async () => {
  const room = newRoom();
  const ana = await host(room);
  await turn(ana, 'waiting-room');
  const bia = await newPerson('Bia');
  await ask(bia, room);
  await bia.page.locator('.door').waitFor();
  await bia.page.reload();
  await bia.page.locator('.door').waitFor();
  await ana.page.locator('[data-action^="admit/"]').click();
  await isIn(bia);
  await bia.page.reload();
  await isIn(bia);
  assert.equal(await ana.page.evaluate(() => roda.client.knocks.size), 0);
  noProblems(people);
});

test('lock: nobody new comes in, those within come back', async () => {
  const room = newRoom();
  const ana = await host(room);
  const bia = await newPerson('Bia');
  bia.id = await join(bia.page, { url: server.url, room, name: 'Bia' });
  await turn(ana, 'lock');
  await waitFor('the lock', () => bia.page.locator('.locked').isVisible());
  const caio = await newPerson('Caio');
  await ask(caio, room);
  await caio.page.locator('.problem-box').waitFor();
  assert.match(await caio.page.locator('.problem-box').textContent(), /trancada/);
  await bia.page.reload();
  await isIn(bia);
  await turn(ana, 'lock');
  await waitFor('the room to open', () => ana.page.evaluate(() => !roda.client.room.locked));
  await caio.page.locator('button[type=submit]').click();
  await isIn(caio);
  noProblems(people, ALARM);
});

test('password: asked for, asked again when wrong', async () => {
  const room = await createRoom({ password: 'maré alta' });
  const bia = await newPerson('Bia');
  await ask(bia, room);
  await bia.page.locator('#password').waitFor();
  await waitFor('the cursor', () => bia.page.evaluate(() => document.activeElement.id === 'password'));
  await bia.page.keyboard.type('mare alta');
  await bia.page.keyboard.press('Enter');
  await waitFor('the refusal', async () =>
    /não é a senha/.test(await bia.page.locator('#password-problem').textContent()),
  );
  await bia.page.keyboard.type('maré alta');
  await bia.page.keyboard.press('Enter');
  await isIn(bia);
  noProblems(people);
});

test('the host sets a password in the page, changes it and takes it away, by keyboard', async () => {
  const room = newRoom();
  const ana = await host(room);
  const hasPassword = (wanted) =>
    waitFor(`the password to be ${wanted ? 'asked for' : 'gone'}`, () =>
      ana.page.evaluate((is) => roda.client.room.hasPassword === is, wanted),
    );
  await ana.page.keyboard.press('p');
  await ana.page.locator('[data-action=password-edit]').focus();
  await ana.page.keyboard.press('Enter');
  await ana.page.keyboard.type('cem');
  await ana.page.keyboard.press('Enter');
  assert.match(await ana.page.locator('#room-password-problem').textContent(), /pelo menos 4/);
  await ana.page.keyboard.press('Escape');
  assert.ok(await ana.page.locator('#page-people').isVisible(), 'Escape closes the form, not the panel');
  await ana.page.keyboard.press('Enter'); // on the button it came from
  await ana.page.keyboard.type('maré alta');
  await ana.page.keyboard.press('Enter');
  await hasPassword(true);
  assert.match(await ana.page.locator('.room-password').textContent(), /Alterar/);

  const bia = await newPerson('Bia', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
  await ask(bia, room);
  await bia.page.locator('#password').waitFor();
  await bia.page.keyboard.type('maré alta');
  await bia.page.keyboard.press('Enter');
  await isIn(bia);
  assert.ok(await bia.page.locator('.room-password').isHidden(), 'only a host has it');

  await ana.page.locator('[data-action=password-remove]').click();
  await hasPassword(false);
  assert.ok(await ana.page.locator('[data-action=password-remove]').isHidden());
  const caio = await newPerson('Caio');
  await ask(caio, room);
  await isIn(caio);
  noProblems(people, ALARM);
});

for (const [what, rules, sign] of [
  ['asks for a password', { password: 'maré alta' }, '#password-problem:not(:empty)'],
  ['is locked', { locked: true }, '.card .problem-box'],
]) {
  test(`on a small phone the button is seen when the room ${what}`, async () => {
    const room = await createRoom(rules);
    for (const [width, height] of [[360, 640], [360, 740]]) {
      const bia = await newPerson('Bia', { viewport: { width, height }, hasTouch: true, isMobile: true });
      await ask(bia, room);
      await bia.page.locator(sign).waitFor();
      await isWellFormed(bia.page);
      await shoot(bia.page, `lobby-${Object.keys(rules)[0]}-${height}`);
      const { top, bottom } = await bia.page.evaluate(() =>
        document.querySelector('button[type=submit]').getBoundingClientRect().toJSON(),
      );
      assert.ok(top >= 0 && bottom <= height, `from ${top} to ${bottom} of ${height}`);
      assert.equal(await bia.page.evaluate(() => scrollY), 0);
    }
    noProblems(people, ALARM);
  });
}
