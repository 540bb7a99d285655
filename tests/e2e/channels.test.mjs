// Do data channel messages reach the others as they were sent, whatever becomes of the channels?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dismiss, gather, noProblems, startChromium, startServer, waitFor } from './harness.mjs';

let server, browser;
before(async () => {
  server = await startServer();
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** Everybody opens a channel of one label; `window.got` keeps what comes on it, strings as they are, bytes as numbers. */
async function openChannels(people, options) {
  for (const { page } of people) {
    await page.evaluate((wanted) => {
      window.got = [];
      window.channel = roda.client.openChannel('files', wanted);
      channel.binaryType = 'arraybuffer';
      channel.onmessage = ({ data }) => got.push(typeof data === 'string' ? data : new Uint8Array(data).length);
    }, options);
    await waitFor('an open channel', () => page.evaluate(() => channel.readyState === 'open'));
  }
}

test('text, bytes, nothing and 64 KiB come out as they went in', async () => {
  const people = await gather(browser, server, 3);
  await openChannels(people);
  const [a, ...others] = people;
  await a.page.evaluate(() => {
    channel.send('olá');
    channel.send('');
    channel.send(new Uint8Array(0));
    channel.send(new Uint8Array(65536));
    channel.send('end');
  });
  for (const { page } of others) {
    await waitFor('five messages', () => page.evaluate(() => got.length === 5));
    assert.deepEqual(await page.evaluate(() => got), ['olá', '', 0, 65536, 'end']);
  }
  assert.equal(await a.page.evaluate(() => got.length), 0, 'nobody hears themselves');
  noProblems(people);
  await dismiss(people);
});

test('somebody who closed a channel is given a like one when there is something to hear', async () => {
  const people = await gather(browser, server, 2);
  await openChannels(people, { ordered: false, maxRetransmits: 3, protocol: 'v9' });
  const [a, b] = people;
  await b.page.evaluate(async () => {
    const { getStats } = RTCPeerConnection.prototype; // the client keeps its connection to itself, but asks it for these
    RTCPeerConnection.prototype.getStats = function (...args) {
      this.ondatachannel = ({ channel: one }) => (window.given = one);
      return getStats.apply(this, args);
    };
    await roda.client.stats();
    channel.close();
  });
  await waitFor('a closed channel', () => b.page.evaluate(() => channel.readyState === 'closed'));
  await waitFor('a channel of the server', async () => {
    await a.page.evaluate(() => channel.send('are you there?'));
    return b.page.evaluate(() => window.given?.readyState === 'open');
  });
  const like = await b.page.evaluate(() => [given.label, given.protocol, given.ordered, given.maxRetransmits]);
  assert.deepEqual(like, ['files', 'v9', false, 3]);
  noProblems(people);
  await dismiss(people);
});
