// Does the sample class of the documents hold a call, peer to peer by the relay and through the SFU?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { noProblems, startChromium, startServer, waitFor } from './harness.mjs';
import { SECRET, newUser, token } from './phones.mjs';
import { serveSample } from './sample_page.mjs';

let sample, server, browser;
before(async () => {
  sample = await serveSample();
  server = await startServer({ JWT_SECRET: SECRET, BIND: '127.0.0.1', FRONTEND_URL: sample.url });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
  await sample?.stop();
});

/** Somebody with the page of the sample open and its WebSocket connected. */
async function open(name, target) {
  const id = newUser(name);
  const page = await browser.newPage();
  await page.goto(sample.url);
  await waitFor('the class', () => page.evaluate(() => Boolean(globalThis.Phone)));
  const ws = `${server.url.replace('http', 'ws')}/ws`;
  await page.evaluate(
    ([url, jwt, self, to]) => {
      globalThis.phone = new Phone(url, jwt, self);
      phone.target = to;
    },
    [ws, token({ sub: id, name }), id, target],
  );
  await waitFor('the socket', () => page.evaluate(() => phone.ws.readyState === WebSocket.OPEN));
  return { page, id, name };
}

/** What the connection to `target` has received so far, and whose certificates it is between. */
function reached({ page }, target) {
  return page.evaluate(async (to) => {
    const pc = phone.peerConnections.get(to);
    const certificate = (description) => /a=fingerprint:(\S+ \S+)/.exec(description?.sdp)?.[1];
    const found = {
      local: certificate(pc?.localDescription),
      remote: certificate(pc?.remoteDescription),
      frames: 0,
      energy: 0,
    };
    for (const stat of pc ? (await pc.getStats()).values() : []) {
      if (stat.type !== 'inbound-rtp') continue;
      found.frames += stat.framesDecoded ?? 0;
      found.energy += stat.totalAudioEnergy ?? 0;
    }
    return found;
  }, target);
}

function talks(one, target) {
  return waitFor(`${one.name} to see and hear`, async () => {
    const found = await reached(one, target);
    if (found.frames > 15 && found.energy > 0) return found;
    throw new Error(JSON.stringify(found));
  });
}

/** The class mutes, unmutes, stops its video and hangs up; the other is told each time, in its words. */
async function controlsAndEnd(ana, bia) {
  const changes = () => bia.page.evaluate(() => phone.changes.filter(({ userId }) => userId !== phone.selfId));
  for (const [method, field, value] of [
    ['toggleAudio', 'isMuted', true],
    ['toggleAudio', 'isMuted', false],
    ['toggleVideo', 'isVideoEnabled', false],
    ['toggleVideo', 'isVideoEnabled', true],
  ]) {
    await ana.page.evaluate((name) => phone[name](), method);
    const change = await waitFor(`${field} ${value}`, async () => {
      const last = (await changes()).at(-1);
      return last?.[field] === value && last;
    });
    assert.deepEqual([change.userId, change.userName], [ana.id, ana.name]);
    assert.deepEqual(
      ['isMuted', 'isVideoEnabled', 'isSharingScreen'].map((name) => typeof change[name]),
      ['boolean', 'boolean', 'boolean'],
    );
  }
  const callId = await ana.page.evaluate(() => phone.currentCallId);
  await ana.page.evaluate(() => phone.endCall());
  const ended = await waitFor('the end', () => bia.page.evaluate(() => phone.ended));
  assert.deepEqual([ended.callId, ended.endedBy], [callId, ana.id]);
  assert.equal(typeof ended.duration, 'number');
  assert.equal(await bia.page.evaluate(() => phone.peerConnections.size + (phone.localStream ? 1 : 0)), 0);
}

async function startCall(ana, bia) {
  await ana.page.evaluate((to) => phone.startCall([to], 'VIDEO'), bia.id);
  await waitFor('the call', () => bia.page.evaluate(() => phone.currentCallId));
}

async function close(...people) {
  noProblems(people);
  for (const { page } of people) await page.close();
}

test('a call peer to peer: descriptions and candidates by the relay, media between the two', async () => {
  const [ana, bia] = [await open('Ana', null), await open('Bia', null)];
  await startCall(ana, bia);
  const [atAna, atBia] = await Promise.all([talks(ana, bia.id), talks(bia, ana.id)]);
  assert.deepEqual(
    [atAna.remote, atAna.local],
    [atBia.local, atBia.remote],
    'their own certificates: nobody between',
  );
  assert.equal(await ana.page.evaluate((to) => phone.streams.get(to)?.getTracks().length, bia.id), 2);
  await controlsAndEnd(ana, bia);
  await close(ana, bia);
});

test('the same page through the SFU', async () => {
  const [ana, bia] = [await open('Ana', 'sfu'), await open('Bia', 'sfu')];
  await startCall(ana, bia);
  const [atAna, atBia] = await Promise.all([talks(ana, 'sfu'), talks(bia, 'sfu')]);
  assert.equal(atAna.remote, atBia.remote, 'the certificate of the server');
  assert.notEqual(atAna.remote, atBia.local);
  await controlsAndEnd(ana, bia);
  await close(ana, bia);
});
