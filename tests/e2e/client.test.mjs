// Does the example of the client's manual do what it says, copied as it is?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { dismiss, join, startChromium, startServer, waitFor } from './harness.mjs';

const ROOM = 'abcd-efgh-ijkl'; // of the example

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** The first program of the manual, in a page of the server. */
async function runExample() {
  const manual = readFileSync(new URL('../../web/README.md', import.meta.url), 'utf8');
  const [, code] = /```js\n([^]*?)```/.exec(manual.slice(manual.indexOf('## The client')));
  assert.ok(code.trim().split('\n').length <= 20, 'twenty lines');
  const page = await browser.newPage();
  await page.route('**/example.js', (route) =>
    route.fulfill({ contentType: 'text/javascript', body: `${code}\nglobalThis.client = client;` }),
  );
  await page.goto(server.url); // any page of the server's origin
  await page.evaluate(() => import('/example.js'));
  return page;
}

test('the twenty lines of the manual see and are seen', async () => {
  const host = await browser.newPage();
  const people = [{ page: host, id: await join(host, { url: server.url, room: ROOM, role: 'host', name: 'Bia' }) }];
  const page = await runExample();
  await waitFor('the picture of the host', () =>
    page.evaluate((id) => document.getElementById(`${id}-camera`)?.videoWidth > 0, people[0].id),
  );
  await waitFor('the picture and the sound of the example', async () => {
    const { inbound } = await host.evaluate(() => roda.client.stats());
    const own = inbound.filter(({ userId }) => userId === 'ana');
    return own.some((stat) => stat.framesDecoded > 5) && own.some((stat) => stat.audioEnergy > 0);
  });
  await host.evaluate(() => roda.client.leave());
  await waitFor('the picture to go', () => page.evaluate(() => document.querySelectorAll('video').length === 0));
  await page.evaluate(() => client.leave());
  assert.equal(await page.evaluate(() => client.localTrack('camera')), null, 'what it opened it has closed');
  await page.close();
  await dismiss(people);
});
