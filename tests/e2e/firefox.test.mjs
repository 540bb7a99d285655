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
  waitFor,
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

/** By now both have sent media, so that the server reads and writes their DTLS records without its library. */
async function messagesGoBothWays(people) {
  for (const { page } of people) {
    await page.evaluate(() => {
      window.got = [];
      window.channel = roda.client.openChannel('files');
      channel.onmessage = ({ data }) => got.push(data);
    });
    await waitFor('an open channel', () => page.evaluate(() => channel.readyState === 'open'));
  }
  for (const { page, name } of people) await page.evaluate((text) => channel.send(text), name.repeat(2000));
  for (const [i, { page }] of people.entries()) {
    const got = await waitFor('a message', () => page.evaluate(() => got.length > 0 && got));
    assert.deepEqual(got, [people[1 - i].name.repeat(2000)]);
  }
}

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
  await messagesGoBothWays(people);
  noProblems(people);
});
