// Is the page of calls whole: contacts, ringing by sound and notification, two languages, 360 pixels, by keyboard?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dismiss, noProblems, startChromium, startServer, waitFor } from './harness.mjs';
import { isWellFormed, shoot } from './look.mjs';
import { answer, backHome, call, inCall, newUser, openPhone } from './phones.mjs';

const NARROW = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };
const WORDS = {
  'pt-BR': { who: 'Quem é você?', calls: 'Chamadas', ring: 'liga para você por vídeo' },
  en: { who: 'Who are you?', calls: 'Calls', ring: 'calls you by video' },
};

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** Two who know each other, both with those options. */
function pair(options) {
  const [ana, bia] = ['Ana', 'Bia'].map((name) => ({ name, id: newUser(name) }));
  return Promise.all([
    openPhone(browser, server, {
      ...ana,
      contacts: [bia, { id: 'caio', name: 'Caio Augusto de Albuquerque' }],
      options,
    }),
    openPhone(browser, server, { ...bia, contacts: [ana], options }),
  ]);
}

for (const [locale, words] of Object.entries(WORDS)) {
  test(`every view on a narrow phone, ${locale}`, async () => {
    const options = { ...NARROW, locale };
    const look = async (page, name) => {
      await isWellFormed(page);
      await shoot(page, `calls-${name}-${locale}`);
    };
    const fresh = await browser.newPage(options);
    await fresh.goto(`${server.url}/calls`);
    await fresh.locator('h1', { hasText: words.who }).waitFor();
    await look(fresh, 'self');
    await fresh.close();

    const people = await pair(options);
    const [ana, bia] = people;
    assert.equal(await ana.page.locator('h1').textContent(), words.calls);
    await ana.page.locator('.contacts input').first().check();
    await look(ana.page, 'contacts');
    await call(ana, bia);
    await bia.page.locator('#ring-what', { hasText: words.ring }).waitFor();
    await look(bia.page, 'ring');
    await look(ana.page, 'dialing');
    await answer(bia);
    await Promise.all(people.map(inCall));
    await ana.page.locator('.tile.has-video').nth(1).waitFor();
    await look(ana.page, 'room');
    await ana.page.locator('.bar [data-action=invite]').click();
    await look(ana.page, 'add');
    await ana.page.keyboard.press('Escape');
    await ana.page.locator('[data-control=leave]').click();
    await backHome(bia);
    await look(bia.page, 'after');
    noProblems(people);
    await dismiss(people);
  });
}

test('who one is is asked once; contacts are kept, renamed, removed; nonsense is told', async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/calls`);
  await page.locator('#self-name').fill('Téo');
  await page.locator('#self-id').fill('com espaço');
  await page.keyboard.press('Enter');
  await page.locator('#self-problem:visible').waitFor();
  const id = newUser('teo');
  await page.locator('#self-id').fill(id);
  await page.keyboard.press('Enter');
  await page.locator('.self code', { hasText: id }).waitFor();
  await waitFor('to be reachable', () => page.evaluate(() => roda.client.status === 'connected'));

  const add = async (who, name = '') => {
    await page.locator('#contact-id').fill(who);
    await page.locator('#contact-name').fill(name);
    await page.keyboard.press('Enter');
  };
  const names = () => page.locator('.contacts .name').allTextContents();
  await add('sfu');
  await page.locator('#contact-problem:visible').waitFor();
  await add(id);
  assert.match(await page.locator('#contact-problem').textContent(), /própria/);
  await add('rui-1', 'Rui');
  await add('<b>eva</b>');
  assert.deepEqual(await names(), ['<b>eva</b>', 'Rui'], 'names are text, never HTML');
  await page.locator('.contacts li[data-user=rui-1] [data-action=edit]').click();
  await page.locator('#edit-name').fill('Rui Barbosa');
  await page.keyboard.press('Enter');
  await waitFor('the new name', async () => (await names()).includes('Rui Barbosa'));
  await page.locator('.contacts li').first().locator('[data-action=edit]').click();
  await page.locator('dialog button[value=remove]').click();
  await waitFor('one contact', async () => (await names()).length === 1);
  await page.reload();
  await page.locator('.contacts .name', { hasText: 'Rui Barbosa' }).waitFor();
  assert.equal(await page.locator('.self code').textContent(), id, 'not asked again');
  await page.locator('.language').click();
  await page.locator('h1', { hasText: 'Calls' }).waitFor();
  await page.locator('.self button').first().click(); // somebody else sits down here
  assert.equal(await page.locator('#self-id').inputValue(), id);
  assert.equal((await server.health()).participants, 0);
  noProblems([{ page, name: 'Téo' }]);
  await page.close();
});

test('the history comes in pages, and marks what was missed until it is seen', async () => {
  const id = newUser('ana');
  const past = (page) => ({
    id: `call-${page}-${Math.random()}`,
    type: 'AUDIO',
    status: 'MISSED',
    initiatorId: 'rui',
    initiatorName: 'Rui',
    participants: [{ userId: id, userName: 'Ana', status: 'MISSED' }],
    startedAt: new Date(Date.now() - 60_000).toISOString(),
    duration: 0,
  });
  const faked = {
    async newPage(options) {
      const page = await browser.newPage(options);
      await page.route('**/calls/history*', (route) => {
        const asked = Number(new URL(route.request().url()).searchParams.get('page'));
        const calls = Array.from({ length: asked === 1 ? 10 : 3 }, () => past(asked));
        return route.fulfill({ json: { calls, page: asked, limit: 10, total: 13 } });
      });
      return page;
    },
  };
  const { page } = await openPhone(faked, server, { name: 'Ana', id });
  await waitFor('a page', async () => (await page.locator('.past li').count()) === 10);
  assert.equal(await page.locator('.missed-mark').textContent(), '10 perdidas');
  assert.equal(await page.title(), '(10) Roda · consultas por vídeo');
  await page.locator('[data-action=more]').click();
  await waitFor('the rest', async () => (await page.locator('.past li').count()) === 13);
  assert.equal(await page.locator('[data-action=more]:visible').count(), 0);
  await page.locator('.missed-mark').waitFor({ state: 'hidden' }); // whoever used the list has seen it
  await page.reload();
  await waitFor('a page', async () => (await page.locator('.past li').count()) === 10);
  assert.equal(await page.locator('.missed-mark:visible').count(), 0);
  assert.equal(await page.title(), 'Roda · consultas por vídeo');
  await page.locator('.past [data-action=keep]').first().click();
  await page.locator('dialog button[value=save]').click();
  await page.locator('.contacts li[data-user=rui]').waitFor();
  noProblems([{ page, name: 'Ana' }]);
  await page.close();
});

/** In place of what makes noise and windows: counts of tones, notifications shown and closed. */
function listen() {
  globalThis.heard = { tones: 0, shown: [], closed: 0, asked: 0 };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...times) {
    heard.tones++;
    return start.apply(this, times);
  };
  globalThis.Notification = class {
    static permission = 'default';
    static async requestPermission() {
      heard.asked++;
      return (this.permission = 'granted');
    }
    constructor(title) {
      heard.shown.push(title);
    }
    close() {
      heard.closed++;
    }
  };
}

test('it rings aloud, and by a notification when the page is not looked at; asked for only by a tap', async () => {
  const [ana] = await pair();
  const bia = { name: 'Bia', id: newUser('bia') };
  const listening = {
    async newPage(options) {
      const page = await browser.newPage(options);
      await page.addInitScript(listen);
      return page;
    },
  };
  const { page } = await openPhone(listening, server, bia);
  assert.equal(await page.evaluate(() => heard.asked), 0);
  await page.locator('[data-action=notify]').click();
  await page.locator('[data-action=notify]').waitFor({ state: 'hidden' });
  assert.equal(await page.evaluate(() => heard.asked), 1);
  await ana.page.locator('#contact-id').fill(bia.id);
  await ana.page.keyboard.press('Enter');

  await call(ana, bia);
  await page.locator('dialog.ring').waitFor();
  assert.ok((await page.evaluate(() => heard.tones)) > 0, 'sound');
  assert.deepEqual(await page.evaluate(() => heard.shown), [], 'whoever looks needs no notification');
  await answer({ page }, 'decline');
  await backHome(ana);
  const tones = await page.evaluate(() => heard.tones);

  await page.evaluate(() =>
    Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true }),
  );
  await call(ana, bia);
  await page.locator('dialog.ring').waitFor();
  assert.ok((await page.evaluate(() => heard.tones)) > tones);
  assert.deepEqual(await page.evaluate(() => heard.shown), ['Ana liga para você por vídeo']);
  await ana.page.locator('[data-action=cancel]').click();
  await page.locator('dialog.ring').waitFor({ state: 'detached' });
  await waitFor('the notification of a missed call', () => page.evaluate(() => heard.shown.length === 2));
  assert.equal(await page.evaluate(() => heard.shown[1]), 'Chamada perdida de Ana.');
  assert.equal(await page.evaluate(() => heard.closed), 1);
  await page.close();
  await dismiss([ana]);
});

test('a call by keyboard alone, without moving pictures for whoever wants none', async () => {
  const people = await pair({ reducedMotion: 'reduce' });
  const [ana, bia] = people;
  const tabTo = async ({ page }, wanted) => {
    for (let press = 0; press < 40; press++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate((selector) => document.activeElement.matches(selector), wanted)) return;
    }
    throw new Error(`Tab does not reach ${wanted}`);
  };
  await tabTo(ana, `[data-user="${bia.id}"] [data-action=call-video]`);
  await ana.page.keyboard.press('Enter');
  await bia.page.locator('dialog.ring').waitFor();
  const moving = await bia.page.evaluate(() => getComputedStyle(document.querySelector('.calling')).animationName);
  assert.equal(moving, 'none');
  await tabTo(bia, '[data-action=accept]'); // Tab stays inside the window and comes round
  await bia.page.keyboard.press('Enter');
  await Promise.all(people.map(inCall));
  await tabTo(bia, '[data-control=leave]');
  await bia.page.keyboard.press('Enter');
  for (const one of people) await backHome(one);
  noProblems(people);
  await dismiss(people);
});
