// Does a tab that is closed leave the room soon, though one that is loaded anew keeps its place?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dismiss, gather, hasFirefox, join, joinedAs, startChromium, startFirefox, startServer, waitFor } from './harness.mjs';

const SOON_MS = 20000; // RELOAD_GRACE_S of signaling/presence.h, and some patience; a lost network has an hour here

let server, chromium, firefox;
before(async () => {
  server = await startServer({ RECONNECT_GRACE: '3600' });
  chromium = await startChromium();
  if (hasFirefox()) firefox = await startFirefox();
});
after(async () => {
  await firefox?.stop();
  await chromium?.stop();
  await server?.stop();
});

async function participants(count) {
  assert.equal((await server.health()).participants, count);
  return true;
}

test('a closed tab of Chromium is out soon, a reloaded one is back', async () => {
  const people = await gather(chromium, server, 2);
  const [ana, bia] = people;
  await bia.page.reload();
  assert.equal(await waitFor('to be back', () => joinedAs(bia.page)), bia.id);
  await bia.page.close({ runBeforeUnload: true });
  await waitFor('the closed tab to be out', () => participants(1), SOON_MS);
  await dismiss([ana]);
});

test('a closed tab of Firefox is out soon', { skip: !hasFirefox() && 'Firefox is not installed' }, async () => {
  const [ana] = await gather(chromium, server, 1);
  const page = await firefox.newPage();
  await join(page, { url: server.url, room: ana.room, name: 'Fernanda' });
  await participants(2);
  await page.close({ runBeforeUnload: true });
  await waitFor('the closed tab to be out', () => participants(1), SOON_MS);
  await dismiss([ana]);
});
