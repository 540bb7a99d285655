// Does a call survive a reload, an ICE restart and a lost WebSocket, unnoticed by the others?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, beforeEach, afterEach, test } from 'node:test';
import {
  dismiss,
  everybodySeesEverybody,
  framesRising,
  gather,
  heard,
  inboundVideo,
  joinedAs,
  openLobby,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { startProxy } from './proxy.mjs';

const DROP_MS = 5000;

let server, proxy, browser, people, ana, bia;
before(async () => {
  server = await startServer();
  proxy = await startProxy();
  proxy.aim(server.url);
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await proxy?.stop();
  await server?.stop();
});
beforeEach(async () => {
  people = await gather(browser, server, 2, { url: proxy.url });
  [ana, bia] = people;
  await everybodySeesEverybody(people);
  // Whoever leaves or comes is noted: to the others, none of this may look like a departure.
  await ana.page.evaluate(() => {
    globalThis.seen = [];
    for (const type of ['participant-joined', 'participant-left']) {
      roda.client.addEventListener(type, ({ detail }) => seen.push(`${type} ${detail.participant.name}`));
    }
  });
});
afterEach(async () => {
  proxy.mend();
  await dismiss(people);
});

test('a publisher who reloads the page is the same participant again', async () => {
  await bia.page.reload();
  const id = await waitFor('to be back', () => joinedAs(bia.page));
  assert.equal(id, bia.id);
  assert.equal(await bia.page.evaluate(() => roda.room.name), 'Bia');
  await everybodySeesEverybody(people);
  assert.deepEqual(await ana.page.evaluate(() => seen), []);
  assert.equal((await server.health()).participants, 2);
  noProblems(people);
});

test('a reload with camera and microphone off comes back with both off', async () => {
  await bia.page.locator('[data-control=camera]').click();
  await bia.page.locator('[data-control=microphone]').click();
  await waitFor('both off', () =>
    bia.page.evaluate(() => !roda.media.isOn('camera') && !roda.media.isOn('microphone')),
  );
  await bia.page.reload();
  await waitFor('to be back', () => joinedAs(bia.page));
  assert.deepEqual(await bia.page.evaluate(() => [roda.media.isOn('camera'), roda.media.isOn('microphone')]), [
    false,
    false,
  ]);
  await waitFor('the others to know', () =>
    ana.page.evaluate((id) => {
      const { isMuted, isVideoEnabled } = roda.client.participants.get(id);
      return isMuted && !isVideoEnabled;
    }, bia.id),
  );
  await bia.page.locator('[data-control=camera]').click();
  await framesRising(ana.page, bia.id);
  noProblems(people);
});

test('an ICE restart finds a new path while frames go on', async () => {
  const ufrag = () =>
    bia.page.evaluate(() => [
      /a=ice-ufrag:(\S+)/.exec(roda.client.connection.currentLocalDescription.sdp)[1],
      /a=ice-ufrag:(\S+)/.exec(roda.client.connection.currentRemoteDescription.sdp)[1],
    ]);
  const before = await ufrag();
  await bia.page.evaluate(() => roda.client.restartIce());
  await waitFor('new credentials on both sides', async () => {
    const now = await ufrag();
    return now[0] !== before[0] && now[1] !== before[1];
  });
  await framesRising(ana.page, bia.id, { count: 20 });
  await framesRising(bia.page, ana.id, { count: 20 });
  assert.equal(await joinedAs(bia.page), bia.id);
  assert.deepEqual(await ana.page.evaluate(() => seen), []);
  noProblems(people);
});

// Holds the n-th offer of a page back, until the server has sent one of its own.
function holdOffer(nth) {
  const send = WebSocket.prototype.send;
  let offers = 0;
  globalThis.glares = 0;
  WebSocket.prototype.send = function (text) {
    const message = JSON.parse(text);
    if (message.event !== 'signal-offer' || ++offers !== nth) return send.call(this, text);
    const onMessage = ({ data }) => {
      if (JSON.parse(data).event === 'signal-offer') glares++;
      if (glares !== 1) return;
      this.removeEventListener('message', onMessage);
      send.call(this, text);
    };
    this.addEventListener('message', onMessage);
  };
}

for (const nth of [1, 2]) {
  test(`offer number ${nth} collides with the server's`, async () => {
    const page = await browser.newPage();
    await page.addInitScript(holdOffer, nth);
    const caio = { page, name: 'Caio', room: ana.room };
    people.push(caio);
    await openLobby(page, { url: proxy.url, room: ana.room });
    if (nth === 2) await page.locator('[data-control=camera]').click();
    await page.locator('#name').fill(caio.name);
    await page.locator('button[type=submit]').click();
    caio.id = await waitFor('Caio to be in the room', () => joinedAs(page));
    if (nth === 2) {
      await framesRising(page, ana.id);
      await page.locator('[data-control=camera]').click(); // the second offer, which is held ...
      await waitFor('the camera', () => page.evaluate(() => roda.media.isOn('camera')));
      const [fourth] = await gather(browser, server, 1, { url: proxy.url, room: ana.room }); // ... until somebody comes
      people.push(fourth);
    }
    await everybodySeesEverybody(people);
    assert.equal(await page.evaluate(() => glares), 1, 'there was a collision');
    noProblems(people);
  });
}

test('5 s without WebSockets: media go on, then the session is the old one', async () => {
  proxy.cut();
  const end = performance.now() + DROP_MS;
  for (const { page } of people) {
    await waitFor('the drop to be noticed', () => page.evaluate(() => roda.client.status === 'reconnecting'));
    assert.equal(await page.locator('.banner:visible').count(), 1);
  }
  while (performance.now() < end) {
    await framesRising(ana.page, bia.id, { count: 10, timeout: 3000 });
    await framesRising(bia.page, ana.id, { count: 10, timeout: 3000 });
  }
  const frames = (await inboundVideo(ana.page, bia.id)).framesDecoded;
  proxy.mend();
  for (const one of people) {
    assert.equal(await waitFor('to be back', () => joinedAs(one.page)), one.id);
    assert.equal(await one.page.locator('.banner:visible').count(), 0);
  }
  assert.deepEqual(await ana.page.evaluate(() => seen), []);
  await bia.page.evaluate(() => roda.client.chat('ainda aqui'));
  await waitFor('the chat', () =>
    ana.page.evaluate(() => document.querySelector('.messages').textContent.includes('ainda aqui')),
  );
  const now = await framesRising(ana.page, bia.id);
  assert.ok(now.framesDecoded > frames, 'the same stream went on: a new one would have started from nothing');
  await heard(ana.page, bia.id);
  noProblems(people, /WebSocket|ERR_|Failed to load/);
});

test('a camera turned on during a drop arrives after it', async () => {
  await bia.page.locator('[data-control=camera]').click();
  await waitFor('the camera off', () =>
    ana.page.evaluate((id) => !roda.client.participants.get(id).isVideoEnabled, bia.id),
  );
  proxy.cut();
  await waitFor('the drop', () => bia.page.evaluate(() => roda.client.status === 'reconnecting'));
  await bia.page.locator('[data-control=camera]').click();
  await waitFor('the camera on', () => bia.page.evaluate(() => roda.media.isOn('camera')));
  proxy.mend();
  await waitFor('to be back', () => joinedAs(bia.page));
  await waitFor('the others to know', () =>
    ana.page.evaluate((id) => roda.client.participants.get(id)?.isVideoEnabled, bia.id),
  );
  await framesRising(ana.page, bia.id);
  noProblems(people, /WebSocket|ERR_|Failed to load/);
});
