// May the host mute, remove and close, and does the server see to it whatever the browsers do?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import {
  dismiss,
  framesRising,
  gather,
  heard,
  inbound,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';

const STOP_MS = 500; // a mute must be through within this
const BACK_MS = 1000; // and video back within this
const WATCH_MS = 1500;

let server, browser, people, ana, bia, caio;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});
beforeEach(async () => {
  people = await gather(browser, server, 3);
  [ana, bia, caio] = people;
  for (const one of [ana, caio]) {
    await framesRising(one.page, bia.id);
    await heard(one.page, bia.id);
  }
});
afterEach(() => dismiss(people));

function bytesSent(page, kind) {
  return page.evaluate(
    async (wanted) =>
      (await roda.client.stats()).outbound.reduce((sum, one) => sum + (one.kind === wanted ? one.bytes : 0), 0),
    kind,
  );
}

function bytesOf(source) {
  return Promise.all([ana, caio].map(async ({ page }) => (await inbound(page, bia.id, source)).bytes));
}

/** Watches for WATCH_MS from `start` on: the last moment (in ms after it) anybody got anything of Bia's source. */
async function lastArrival(source, kind, start) {
  const sent = await bytesSent(bia.page, kind);
  let last = 0;
  let before = await bytesOf(source);
  while (performance.now() < start + WATCH_MS) {
    const now = await bytesOf(source);
    if (now.some((bytes, index) => bytes > before[index])) last = performance.now() - start;
    before = now;
  }
  assert.ok((await bytesSent(bia.page, kind)) > sent + 500, 'the publisher must have gone on sending');
  return last;
}

test('mute-participant: the server stops a microphone that does not obey; unmute opens it', async () => {
  await bia.page.evaluate(() => {
    const track = roda.client.localTrack('microphone');
    roda.client.addEventListener('muted-by-host', () => (track.enabled = true)); // a browser that sends on
  });
  const start = performance.now();
  await ana.page.evaluate((id) => roda.client.mute(id), bia.id);
  assert.ok((await lastArrival('microphone', 'audio', start)) < STOP_MS);
  assert.match(await bia.page.locator('.notes').textContent(), /Ana/);
  for (const one of [ana, caio]) {
    const flag = await one.page.evaluate((id) => roda.client.participants.get(id).isMuted, bia.id);
    assert.equal(flag, true);
    assert.equal(await one.page.locator(`[data-user="${bia.id}"] .mark:visible`).count(), 1);
  }
  const before = await bytesOf('microphone');
  await bia.page.evaluate(() => {
    roda.client.localTrack('microphone').enabled = false;
    return roda.media.set('microphone', true);
  });
  await waitFor(
    'sound again',
    async () => {
      const now = await bytesOf('microphone');
      return now.every((bytes, index) => bytes > before[index]);
    },
    BACK_MS,
  );
  noProblems(people);
});

test('a locked microphone stays closed; only a host may mute', async () => {
  await ana.page.evaluate((id) => roda.client.mute(id, { locked: true }), bia.id);
  await waitFor('the mute', () => bia.page.evaluate(() => !roda.media.isOn('microphone')));
  await bia.page.locator('[data-control=microphone]').click();
  await waitFor('the refusal', () =>
    bia.page.evaluate(() => document.querySelector('.notes').textContent.includes('mantém')),
  );
  assert.equal(await bia.page.evaluate(() => roda.media.isOn('microphone')), false);
  const code = await caio.page.evaluate((id) => roda.client.mute(id).catch((error) => error.code), bia.id);
  assert.equal(code, 'forbidden');
  noProblems(people);
});

test('video off: the server stops it at once, a key frame brings it back within a second', async () => {
  const start = performance.now();
  await bia.page.evaluate(async () => {
    await roda.client.setEnabled('camera', false);
    roda.client.localTrack('camera').enabled = true; // it sends on, and nobody may see it
  });
  assert.ok((await lastArrival('camera', 'video', start)) < STOP_MS);
  const off = await ana.page.locator(`.tile.video-off[data-user="${bia.id}"]`).count();
  assert.equal(off, 1);
  await bia.page.evaluate(() => {
    roda.client.localTrack('camera').enabled = false;
    return roda.client.setEnabled('camera', true);
  });
  await Promise.all([ana, caio].map((one) => framesRising(one.page, bia.id, { count: 3, timeout: BACK_MS })));
  noProblems(people);
});

test('remove-participant: out at once, and the others go on', async () => {
  await ana.page.locator('[data-control=people]').click();
  await ana.page.locator(`li[data-user="${bia.id}"] [data-action^=remove]`).click();
  await ana.page.locator('dialog button.danger').click();
  await bia.page.locator('.view.end').waitFor();
  assert.match(await bia.page.locator('h1').textContent(), /removeu/);
  await waitFor('the others to see it', async () => {
    const counts = await Promise.all(
      [ana, caio].map(({ page }) => page.evaluate(() => roda.client.participants.size)),
    );
    return counts.every((count) => count === 1);
  });
  await framesRising(caio.page, ana.id);
  assert.equal((await server.health()).participants, 2);
  noProblems(people);
});

test('close-room: everybody is told, sockets close, the room is gone', async () => {
  await ana.page.locator('[data-control=leave]').click();
  await ana.page.locator('dialog button.danger').click();
  for (const { page } of people) {
    await page.locator('.view.end').waitFor();
    assert.match(await page.locator('h1').textContent(), /encerrada/);
    assert.equal(await page.evaluate(() => roda.client.status), 'ended');
  }
  await waitFor('an empty server', async () => {
    const { rooms, participants, connections } = await server.health();
    return rooms === 0 && participants === 0 && connections === 0;
  });
  noProblems(people);
});
