// Do screens, data channels, chat and layers reach the right people?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  dismiss,
  framesRising,
  gather,
  inboundVideo,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

// A headless browser has no screen: a drawn one stands in for it.
function drawnScreen() {
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 600 });
    const context = canvas.getContext('2d');
    let turn = 0;
    setInterval(() => {
      context.fillStyle = `hsl(${turn++ * 7} 60% 60%)`;
      context.fillRect(0, 0, 800, 600);
    }, 100);
    return canvas.captureStream(10);
  };
}

test('screen share in a call of three: it comes, it is large, it goes, it comes again', async () => {
  const people = await gather(browser, server, 3);
  const [ana, bia, caio] = people;
  await bia.page.evaluate(drawnScreen);
  for (let turn = 0; turn < 2; turn++) {
    await bia.page.locator('[data-control=screen]').click();
    for (const { page } of [ana, caio]) {
      const seen = await framesRising(page, bia.id, { source: 'screen', count: 4 });
      assert.deepEqual([seen.width, seen.height], [800, 600]);
      await page.locator(`.tile.screen.has-video[data-user="${bia.id}"]`).waitFor();
      const box = (selector) =>
        page
          .locator(selector)
          .boundingBox()
          .then(({ width, height }) => width * height);
      assert.ok((await box('.tile.screen')) > 2 * (await box(`.tile.camera[data-user="${bia.id}"]`)));
    }
    assert.equal(await ana.page.evaluate((id) => roda.client.participants.get(id).isSharingScreen, bia.id), true);
    await framesRising(ana.page, bia.id, { source: 'camera' });
    await bia.page.locator('[data-control=screen]').click();
    for (const { page } of [ana, caio]) {
      await waitFor('the screen to go', async () => (await page.locator('.tile.screen').count()) === 0);
      await waitFor('the flag', () =>
        page.evaluate((id) => !roda.client.participants.get(id).isSharingScreen, bia.id),
      );
    }
  }
  noProblems(people);
  await dismiss(people);
});

test('a data channel message from one reaches the two others, and nobody else', async () => {
  const people = await gather(browser, server, 3);
  const strangers = await gather(browser, server, 1);
  for (const { page } of [...people, ...strangers]) {
    await page.evaluate(() => {
      globalThis.got = [];
      roda.client.addEventListener('data', ({ detail }) => got.push([detail.label, detail.data]));
    });
  }
  await people[0].page.evaluate(() => {
    const channel = roda.client.openChannel('pointer');
    const send = () => ['um', 'dois', 'três'].forEach((text) => channel.send(text));
    if (channel.readyState === 'open') send();
    else channel.addEventListener('open', send);
  });
  const expected = [
    ['pointer', 'um'],
    ['pointer', 'dois'],
    ['pointer', 'três'],
  ];
  for (const { page } of people.slice(1)) {
    await waitFor('three messages', () => page.evaluate(() => got.length >= 3));
    assert.deepEqual(await page.evaluate(() => got), expected);
  }
  // By now the channel is known to everybody.
  await people[1].page.evaluate(() => roda.client.openChannel('pointer').send('volta'));
  for (const { page } of [people[0], people[2]]) {
    await waitFor('the answer', () => page.evaluate(() => got.some(([, text]) => text === 'volta')));
  }
  assert.deepEqual(await strangers[0].page.evaluate(() => got), []);
  assert.equal(await people[0].page.evaluate(() => got.length), 1, 'nobody hears themselves');
  noProblems([...people, ...strangers]);
  await dismiss([...people, ...strangers]);
});

test('chat: to all, with a badge until it is read, as text and never as HTML', async () => {
  const people = await gather(browser, server, 3);
  const [ana, bia, caio] = people;
  await ana.page.locator('[data-control=chat]').click();
  await ana.page.locator('textarea').fill('<b>olá</b> https://example.org/x?a=1&b=2.');
  await ana.page.locator('textarea').press('Enter');
  for (const { page } of [bia, caio]) {
    await waitFor('the badge', async () => (await page.locator('.badge').textContent()) === '1');
    await page.locator('[data-control=chat]').click();
    assert.equal(await page.locator('.messages .text').textContent(), '<b>olá</b> https://example.org/x?a=1&b=2.');
    assert.equal(await page.locator('.messages b').count(), 0);
    assert.equal(await page.locator('.messages a').getAttribute('href'), 'https://example.org/x?a=1&b=2');
    assert.equal(await page.locator('.badge:visible').count(), 0);
  }
  assert.equal(await ana.page.locator('.messages .own').count(), 1);
  noProblems(people);
  await dismiss(people);
});

test('simulcast: select-layer changes what size is received', async () => {
  const people = await gather(browser, server, 2, { join: { video: '960x540@10' } });
  const [ana, bia] = people;
  await framesRising(ana.page, bia.id);
  const width = async () => (await inboundVideo(ana.page, bia.id)).width;
  for (const [spatial, expected] of [
    [0, 240],
    [1, 480],
    [-1, 960],
    [0, 240],
  ]) {
    await ana.page.evaluate(
      ([id, layer]) => roda.client.selectLayer(id, 'camera', { spatial: layer }),
      [bia.id, spatial],
    );
    await waitFor(`layer ${spatial} to be ${expected} wide`, async () => (await width()) === expected, 20_000);
    await framesRising(ana.page, bia.id);
  }
  noProblems(people);
  await dismiss(people);
});
