// Does everybody see and hear everybody, with 2, 3 and 6 people?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  dismiss,
  everybodySeesEverybody,
  gather,
  noProblems,
  startChromium,
  startServer,
  stats,
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

for (const count of [2, 3, 6]) {
  test(`${count} people`, async () => {
    const people = await gather(browser, server, count);
    await everybodySeesEverybody(people);
    for (const { page, name } of people) {
      const { transport, inbound } = await stats(page);
      assert.match(transport.srtpCipher, /AEAD_AES_128_GCM$/, name);
      assert.equal(transport.dtlsState, 'connected');
      assert.equal(inbound.length, 2 * (count - 1), `${name} receives one camera and one microphone of each other`);
      const tiles = await page.locator('.tile.has-video').count();
      assert.equal(tiles, count, `${name} is shown everybody`);
    }
    assert.equal((await server.health()).participants, count);
    noProblems(people);
    await dismiss(people);
    await waitFor('an empty server', async () => (await server.health()).participants === 0);
  });
}

test('somebody without camera and microphone sees, hears and writes', async () => {
  const people = await gather(browser, server, 1);
  const page = await browser.newPage();
  await page.addInitScript(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('no', 'NotAllowedError');
    };
  });
  await page.goto(`${server.url}/paciente/${people[0].room}`);
  await page.locator('.problem-box').waitFor();
  await page.locator('#name').fill('Zé');
  await page.locator('button[type=submit]').click();
  const id = await waitFor('the join', () =>
    page.evaluate(() => roda.client?.status === 'joined' && roda.client.userId),
  );
  const guest = { page, id, name: 'Zé' };
  await waitFor('the video of the host', async () => {
    const seen = (await stats(page)).inbound.find((stat) => stat.userId === people[0].id && stat.kind === 'video');
    return seen?.framesDecoded > 5;
  });
  await waitFor('to be shown without camera and microphone', () =>
    people[0].page.evaluate((userId) => {
      const one = roda.client.participants.get(userId);
      return one?.isMuted === true && one.isVideoEnabled === false;
    }, id),
  );
  noProblems([...people, guest]);
  await dismiss([...people, guest]);
});
