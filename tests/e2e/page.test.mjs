// Is the page whole: in two languages, on phone and desktop, by keyboard, without complaint of the security policy?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  dismiss,
  framesRising,
  gather,
  join,
  newRoom,
  noProblems,
  openLobby,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { isWellFormed, shoot } from './look.mjs';

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1280, height: 800 } };

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

for (const [device, options] of Object.entries({ phone: PHONE, desktop: DESKTOP })) {
  for (const [locale, words] of Object.entries({ 'pt-BR': 'Entrar na sala', en: 'Enter the room' })) {
    test(`start page and lobby: ${device}, ${locale}`, async () => {
      const page = await browser.newPage({ ...options, locale });
      for (const path of ['/', '/teste-video']) {
        await page.goto(server.url + path);
        await page.locator('h1').waitFor();
        assert.equal(await page.evaluate(() => document.documentElement.lang), locale);
        await isWellFormed(page);
        await shoot(page, `${path === '/' ? 'home' : 'test'}-${device}-${locale}`);
      }
      await openLobby(page, { url: server.url, room: newRoom(), video: '640x360@15' });
      assert.equal(await page.locator('button[type=submit]').textContent(), words);
      await isWellFormed(page);
      await shoot(page, `lobby-${device}-${locale}`);
      const button = await page.locator('button[type=submit]').boundingBox();
      assert.ok(button.y + button.height <= options.viewport.height, 'the way in is seen without scrolling');
      noProblems([{ page, name: device }]);
      await page.close();
    });
  }
}

test('every documented address opens the page; another one does not', async () => {
  const paths = ['/', '/teste-video', '/medico/a', '/paciente/a', '/video', '/video/a', '/participant/a', '/calls'];
  for (const path of paths) {
    const response = await fetch(server.url + path);
    assert.equal(response.status, 200, path);
    assert.match(response.headers.get('content-type'), /text\/html/);
    assert.match(response.headers.get('content-security-policy'), /default-src 'self'/);
  }
  assert.equal((await fetch(`${server.url}/nothing-here`)).status, 404);
});

test('the test page leads a doctor and a patient into one room', async () => {
  const page = await browser.newPage(DESKTOP);
  await page.goto(`${server.url}/teste-video`);
  const [doctor, patient] = await page
    .locator('.links a')
    .evaluateAll((links) => links.map(({ href }) => new URL(href)));
  assert.match(doctor.pathname, /^\/medico\/[a-z-]{14}$/);
  assert.equal(patient.pathname.split('/')[2], doctor.pathname.split('/')[2]);
  await page.close();
});

test('a code, or a whole link, leads into its room; nonsense is told', async () => {
  const page = await browser.newPage();
  await page.goto(server.url);
  await page.locator('#code').fill('não é um código');
  await page.locator('#code').press('Enter');
  await page.locator('#code-problem:visible').waitFor();
  await page.locator('#code').fill('https://example.org/paciente/abcd-efgh-jkmn');
  await page.locator('#code').press('Enter');
  await page.waitForURL('**/paciente/abcd-efgh-jkmn');
  await page.close();
});

test('the language changes everywhere at once and is remembered', async () => {
  const page = await browser.newPage();
  await openLobby(page, { url: server.url, room: newRoom() });
  await page.locator('.language').click();
  assert.equal(await page.locator('button[type=submit]').textContent(), 'Enter the room');
  assert.equal(await page.locator('#name').getAttribute('placeholder'), 'How others will see you');
  await page.reload();
  await waitFor(
    'the same language',
    async () => (await page.locator('button[type=submit]').textContent()) === 'Enter the room',
  );
  await page.close();
});

test('a whole call by keyboard', async () => {
  const people = await gather(browser, server, 1);
  const page = await browser.newPage(DESKTOP);
  await openLobby(page, { url: server.url, room: people[0].room });
  await page.locator('#name').focus();
  await page.keyboard.press('Enter');
  assert.equal(await page.locator('#name-problem:visible').count(), 1, 'an empty name is told');
  await page.keyboard.type('Téo');
  await page.keyboard.press('Enter');
  await page.locator('.view.room').waitFor();

  const isOn = (source) => page.evaluate((one) => roda.media.isOn(one), source);
  await page.keyboard.press('m');
  await waitFor('the microphone off', async () => !(await isOn('microphone')));
  await page.keyboard.press('m');
  await waitFor('the microphone on', () => isOn('microphone'));
  await page.keyboard.press('v');
  await waitFor('the camera off', async () => !(await isOn('camera')));

  await page.keyboard.press('c');
  assert.equal(await page.evaluate(() => document.activeElement.tagName), 'TEXTAREA');
  await page.keyboard.type('m v c'); // letters, while typing
  await page.keyboard.press('Enter');
  await waitFor('the message', () =>
    people[0].page.evaluate(() => document.querySelector('.messages').textContent.includes('m v c')),
  );
  assert.equal(await isOn('microphone'), true);
  await page.keyboard.press('Escape');
  assert.equal(await page.locator('.panel:visible').count(), 0);
  assert.equal(await page.evaluate(() => document.activeElement.dataset.control), 'chat', 'the focus goes back');

  await page.keyboard.press('?');
  await page.locator('dialog.settings').waitFor();
  await page.locator('#shortcuts-on').focus();
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  await page.keyboard.press('m');
  assert.equal(await isOn('microphone'), true, 'single keys can be turned off');

  await page.locator('[data-control=leave]').focus();
  await page.keyboard.press('Enter');
  await page.locator('.view.end').waitFor();
  noProblems([...people, { page, name: 'Téo' }]);
  await page.close();
  await dismiss(people);
});

test('everything to press can be reached with Tab, and the focus is seen', async () => {
  const page = await browser.newPage(DESKTOP);
  await join(page, { url: server.url, room: newRoom(), role: 'host', name: 'Ana' });
  const wanted = await page.locator('button:visible').count();
  const reached = new Set();
  for (let press = 0; press < wanted + 3; press++) {
    await page.keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const one = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      return { key: one.outerHTML.slice(0, 200), tag: one.tagName, outline: `${outlineStyle} ${outlineWidth}` };
    });
    if (seen.tag !== 'BUTTON') continue;
    reached.add(seen.key);
    assert.equal(seen.outline, 'solid 3px', seen.key);
  }
  assert.equal(reached.size, wanted);
  await page.close();
});

test('the room on a phone: six tiles without scrolling, controls in reach', async () => {
  const people = await gather(browser, server, 5);
  const page = await browser.newPage(PHONE);
  const id = await join(page, { url: server.url, room: people[0].room, name: 'Gil' });
  await waitFor('six tiles', async () => (await page.locator('.tile').count()) === 6);
  await waitFor('six pictures', async () => (await page.locator('.tile.has-video').count()) === 6);
  await isWellFormed(page);
  const boxes = await page
    .locator('.tile')
    .evaluateAll((tiles) =>
      Promise.all(tiles.flatMap((tile) => tile.getAnimations()).map((one) => one.finished)).then(() =>
        tiles.map((tile) => tile.getBoundingClientRect().toJSON()),
      ),
    );
  for (const { top, bottom, left, right } of boxes) {
    assert.ok(top >= 0 && left >= 0 && right <= 390 && bottom <= 844, JSON.stringify({ top, bottom, left, right }));
  }
  await shoot(page, 'room-phone');
  noProblems([{ page, name: 'Gil' }]);
  await dismiss([...people, { page, id }]);
});

test('sound the browser holds back waits for a tap', async () => {
  const people = await gather(browser, server, 1);
  const page = await browser.newPage();
  await page.addInitScript(() => {
    const play = HTMLMediaElement.prototype.play;
    globalThis.tapped = false;
    HTMLMediaElement.prototype.play = function () {
      const isHeldBack = this.localName === 'audio' && !tapped;
      return isHeldBack ? Promise.reject(new DOMException('no tap yet', 'NotAllowedError')) : play.call(this);
    };
  });
  await join(page, { url: server.url, room: people[0].room, name: 'Téo' });
  await page.locator('.tap').waitFor();
  await page.evaluate(() => (tapped = true));
  await page.locator('.tap').click();
  await page.locator('.tap').waitFor({ state: 'hidden' });
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('audio')].map(({ paused }) => paused)), [
    false,
  ]);
  await page.close();
  await dismiss(people);
});

test('a picture that stands still says so', async () => {
  const people = await gather(browser, server, 2);
  const [ana, bia] = people;
  await framesRising(ana.page, bia.id);
  await bia.page.evaluate(() => roda.client.connection.getSenders().forEach((sender) => sender.replaceTrack(null)));
  await ana.page.locator('.tile.stalled').waitFor();
  await dismiss(people);
});

test('the invitation copies the link and shows its QR code', async () => {
  const page = await browser.newPage({ ...DESKTOP, permissions: ['clipboard-read', 'clipboard-write'] });
  const room = newRoom();
  await join(page, { url: server.url, room, role: 'host', name: 'Ana' });
  await page.locator('.bar [data-action=invite]').click();
  await page.locator('dialog.invite img').waitFor();
  await page.locator('dialog.invite [data-action=copy]').click();
  const link = await waitFor('the link', () => page.evaluate(() => navigator.clipboard.readText()));
  assert.equal(link, `${server.url}/participant/${room}`);
  await shoot(page, 'invite-desktop');
  noProblems([{ page, name: 'Ana' }]);
  await page.close();
});
