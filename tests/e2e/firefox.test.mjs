// Do Chromium and Firefox see and hear each other?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  everybodySeesEverybody,
  hasFirefox,
  join,
  newRoom,
  noProblems,
  startChromium,
  startFirefox,
  startServer,
  stats,
} from './harness.mjs';

let server, chromium, firefox;
before(async () => {
  if (!hasFirefox()) return;
  server = await startServer();
  chromium = await startChromium();
  firefox = await startFirefox();
});
after(async () => {
  await firefox?.stop();
  await chromium?.stop();
  await server?.stop();
});

test('Firefox with Chromium, both ways', { skip: !hasFirefox() && 'Firefox is not installed' }, async () => {
  const room = newRoom();
  const people = [
    { page: await firefox.newPage(), name: 'Fernanda' },
    { page: await chromium.newPage(), name: 'Cris' },
  ];
  for (const one of people) one.id = await join(one.page, { url: server.url, room, name: one.name });
  await everybodySeesEverybody(people, null); // Firefox's fake camera has a size of its own
  const { inbound } = await stats(people[1].page);
  assert.ok(inbound.find(({ kind }) => kind === 'video').width > 0);
  noProblems(people);
});
