// Can people call each other by the page: ring, answer, decline, miss, add a third, come back?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  dismiss,
  everybodySeesEverybody,
  inbound,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { SECRET, answer, backHome, call, inCall, newUser, openPhone, token } from './phones.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** Two people who know each other. */
async function pair(options) {
  const [ana, bia] = ['Ana', 'Bia'].map((name) => ({ name, id: newUser(name) }));
  return Promise.all([
    openPhone(browser, server, { ...ana, contacts: [bia], options }),
    openPhone(browser, server, { ...bia, contacts: [ana], options }),
  ]);
}

test('ring, accept, talk, hang up', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia);
  await ana.page.locator('.view.dialing').waitFor();
  assert.match(await ana.page.locator('.called').textContent(), /Bia.*Chamando/);
  await bia.page.locator('dialog.ring').waitFor();
  assert.equal(await bia.page.locator('#ring-who').textContent(), 'Ana');
  assert.equal(await bia.page.locator('[role=alertdialog] #ring-what').textContent(), 'liga para você por vídeo');
  assert.equal(await bia.page.evaluate(() => document.activeElement.dataset.action), 'accept');
  for (let press = 0; press < 3; press++) await bia.page.keyboard.press('Escape');
  assert.equal(await bia.page.locator('dialog.ring[open]').count(), 1, 'Esc does not hide a call');
  await bia.page.locator('dialog.ring [data-action=accept]').focus();
  await bia.page.keyboard.press('Enter');
  await Promise.all(people.map(inCall));
  await everybodySeesEverybody(people);
  assert.equal(await ana.page.locator('.room h1').textContent(), 'Bia');
  await ana.page.locator('[data-control=leave]').click();
  for (const one of people) assert.match(await backHome(one), /terminou/);
  assert.equal((await server.health()).participants, 0);
  noProblems(people);
  await dismiss(people);
});

test('without camera: heard both ways, seen one way; the other hangs up', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia);
  await answer(bia, 'accept-audio');
  await Promise.all(people.map(inCall));
  await waitFor('sound both ways, video one way', async () => {
    const [fromBia, fromAna] = [
      await inbound(ana.page, bia.id, 'microphone'),
      await inbound(bia.page, ana.id, 'microphone'),
    ];
    const video = await inbound(bia.page, ana.id, 'camera');
    return fromBia?.audioEnergy > 0 && fromAna?.audioEnergy > 0 && video?.framesDecoded > 5;
  });
  assert.equal(await bia.page.evaluate(() => roda.media.isOn('camera')), false);
  assert.equal((await inbound(ana.page, bia.id, 'camera'))?.framesDecoded ?? 0, 0);
  await bia.page.locator('[data-control=leave]').click();
  for (const one of people) await backHome(one);
  noProblems(people);
  await dismiss(people);
});

test('an audio call opens no camera', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia, 'audio');
  await bia.page.locator('dialog.ring').waitFor();
  assert.equal(await bia.page.locator('[data-action=accept-audio]').count(), 0);
  await answer(bia);
  await Promise.all(people.map(inCall));
  for (const { page } of people) assert.equal(await page.evaluate(() => roda.media.isOn('camera')), false);
  await waitFor('sound', async () => (await inbound(ana.page, bia.id, 'microphone'))?.audioEnergy > 0);
  await dismiss(people);
});

test('declined with a reason; cancelled, which is missed and marked; both are in the history', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia);
  await bia.page.locator('dialog.ring').waitFor();
  await bia.page.locator('#ring-reason').selectOption('reasonMessage');
  await bia.page.locator('#ring-own-reason').fill('em consulta');
  await answer(bia, 'decline');
  assert.match(await backHome(ana), /Bia recusou: em consulta/);
  await ana.page.locator('[data-action=again]').click(); // call again
  await bia.page.locator('dialog.ring').waitFor();
  await ana.page.locator('[data-action=cancel]').click();
  assert.equal(await backHome(ana), '', 'who cancels need not be told');
  await bia.page.locator('dialog.ring').waitFor({ state: 'detached' });
  assert.match(await backHome(bia), /Chamada perdida de Ana/);
  const past = ({ page }) =>
    page.locator('.past li').evaluateAll((rows) => rows.map((row) => [row.dataset.way, row.textContent]));
  const [missed, declined] = await waitFor('two calls in the history', async () => {
    const rows = await past(bia);
    return rows.length === 2 && rows;
  });
  assert.deepEqual([missed[0], declined[0]], ['missed', 'incoming']);
  assert.match(missed[1], /Ana.*Perdida.*vídeo/);
  assert.match(declined[1], /Ana.*Recusada/);
  assert.equal(await bia.page.locator('.missed-mark').textContent(), '1 perdida');
  assert.deepEqual(
    (await past(ana)).map(([way]) => way),
    ['outgoing', 'outgoing'],
  );
  await bia.page.locator('.past [data-action=call-back]').first().click();
  await ana.page.locator('dialog.ring').waitFor();
  await answer(ana);
  await Promise.all(people.map(inCall));
  noProblems(people);
  await dismiss(people);
});

test('two devices ring, one answers', async () => {
  const people = await pair();
  const [ana, bia] = people;
  const second = await openPhone(browser, server, { name: 'Bia', id: bia.id });
  await call(ana, bia);
  await Promise.all([bia, second].map(({ page }) => page.locator('dialog.ring').waitFor()));
  await answer(second);
  assert.match(await backHome(bia), /Atendida em outro aparelho/);
  assert.equal(await bia.page.locator('dialog.ring').count(), 0);
  await Promise.all([ana, second].map(inCall));
  await everybodySeesEverybody([ana, second]);
  noProblems([...people, second]);
  await dismiss([...people, second]);
});

test('a third is added; one who is in a call is busy; the host ends it for all', async () => {
  const people = await pair();
  const [ana, bia] = people;
  const caio = await openPhone(browser, server, { name: 'Caio', contacts: [ana] });
  await call(ana, bia);
  await answer(bia);
  await Promise.all(people.map(inCall));
  await call(caio, ana);
  assert.match(await backHome(caio), /Ana está em outra chamada/);
  await ana.page.locator('.bar [data-action=invite]').click();
  await ana.page.locator('#add-id').fill(caio.id);
  await ana.page.keyboard.press('Enter');
  await answer(caio);
  await inCall(caio);
  await everybodySeesEverybody([...people, caio]);
  await ana.page.locator('[data-control=leave]').click();
  await ana.page.locator('dialog.question button[value=end]').click();
  for (const one of [...people, caio]) assert.match(await backHome(one), /terminou/);
  noProblems([...people, caio]);
  await dismiss([...people, caio]);
});

test('several are called at once; who leaves a larger call leaves it going', async () => {
  const people = await pair();
  const [ana, bia] = people;
  const caio = await openPhone(browser, server, { name: 'Caio' });
  await ana.page.locator('#contact-id').fill(caio.id);
  await ana.page.locator('#contact-name').fill('Caio');
  await ana.page.keyboard.press('Enter');
  await ana.page.locator('.contacts input[type=checkbox]').first().check();
  await ana.page.locator('.contacts input[type=checkbox]').nth(1).check();
  assert.equal(await ana.page.locator('.picked [role=status]').textContent(), '2 selecionados');
  await ana.page.locator('[data-action=picked-VIDEO]').click();
  await Promise.all([answer(bia), answer(caio)]);
  await Promise.all([ana, bia, caio].map(inCall));
  await everybodySeesEverybody([ana, bia, caio]);
  await bia.page.locator('[data-control=leave]').click();
  await backHome(bia);
  await waitFor('Bia to be gone', () => ana.page.evaluate(() => roda.client.participants.size === 1));
  assert.equal(await ana.page.evaluate(() => roda.client.calls.current?.status), 'CONNECTED');
  noProblems([ana, bia, caio]);
  await dismiss([ana, bia, caio]);
});

test('a reload during the call returns to it', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia);
  await answer(bia);
  await Promise.all(people.map(inCall));
  await bia.page.reload();
  await inCall(bia);
  await everybodySeesEverybody(people);
  await bia.page.locator('[data-control=leave]').click();
  for (const one of people) await backHome(one);
  noProblems(people);
  await dismiss(people);
});

test('whoever comes back too late finds the call over', async () => {
  const people = await pair();
  const [ana, bia] = people;
  await call(ana, bia);
  await answer(bia);
  await Promise.all(people.map(inCall));
  await bia.page.goto('about:blank');
  await ana.page.locator('[data-control=leave]').click();
  await backHome(ana);
  await bia.page.goto(`${server.url}/calls?video=320x240@15`);
  await backHome(bia);
  assert.equal(await bia.page.evaluate(() => roda.client.calls.current), null);
  await call(bia, ana);
  await answer(ana);
  await Promise.all(people.map(inCall));
  await everybodySeesEverybody(people);
  await dismiss(people);
});

test('with tokens: the id is the one of the token', async () => {
  const guarded = await startServer({ JWT_SECRET: SECRET, BIND: '127.0.0.1' });
  const [ana, bia] = ['Ana', 'Bia'].map((name) => ({ name, id: newUser(name) }));
  const open = (one, other) =>
    openPhone(browser, guarded, { ...one, contacts: [other], jwt: token({ sub: one.id, name: one.name }) });
  const people = await Promise.all([open(ana, bia), open(bia, ana)]);
  assert.equal(await people[0].page.locator('.self code').textContent(), ana.id);
  assert.ok(!people[0].page.url().includes('token'));
  await call(people[0], bia);
  await answer(people[1]);
  await Promise.all(people.map(inCall));
  await everybodySeesEverybody(people);
  await people[0].page.locator('[data-control=leave]').click();
  await backHome(people[1]);
  await waitFor('the history', async () => (await people[1].page.locator('.past li').count()) === 1);
  noProblems(people);
  await dismiss(people);
  await guarded.stop();
});
