// Does a call work for somebody whom only a TURN server lets through, with credentials that expire?
// SPDX-License-Identifier: MIT
//
// coturn is the real one. The last test puts Chromium into a network from where nothing but coturn and the page itself
// can be reached; it needs root.
import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import {
  dismiss,
  framesRising,
  heard,
  join,
  newRoom,
  noProblems,
  openLobby,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { freePort, hasTurnServer, makeNamespace, ownAddress, startTurn } from './network.mjs';
import { startProxy } from './proxy.mjs';

const SECRET = 'a secret between Roda and coturn';
const MOVE_MS = 60_000; // a path is given up after 30 s without consent (RFC 7675), then another is looked for
const address = ownAddress();
const skip = !hasTurnServer() ? 'coturn is not installed' : !address && 'no address but loopback';

let browser;
const stopping = []; // what the test at hand has started
let people = [];
before(async () => (browser = await startChromium()));
after(() => browser?.stop());
afterEach(async () => {
  await dismiss(people);
  people = [];
  for (const one of stopping.splice(0).reverse()) await one.stop();
});

async function started(promise) {
  const one = await promise;
  stopping.push(one);
  return one;
}

/** A server that names these urls, each of a coturn that shares SECRET unless told otherwise. */
function startRoda(urls, { secret = SECRET, bind = address, ...more } = {}) {
  const env = { TURN_URLS: JSON.stringify(urls), TURN_SECRET: secret, MEDIA_BIND: bind, ...more };
  return started(startServer(env));
}

async function newPerson(name, { from = browser, relayOnly = true } = {}) {
  const page = await from.newPage();
  const one = { page, name };
  people.push(one);
  if (!relayOnly) return one;
  await page.addInitScript(() => {
    const Real = globalThis.RTCPeerConnection;
    globalThis.RTCPeerConnection = class extends Real {
      constructor(config) {
        super({ ...config, iceTransportPolicy: 'relay' });
      }
    };
  });
  return one;
}

async function enter(one, { url, room, role }) {
  one.id = await join(one.page, { url, room, role, name: one.name });
}

/** Of the pair in use: our candidate's type, how we reach the relay, and the relay's url. */
function path(page) {
  return page.evaluate(async () => {
    const all = [...(await roda.client.connection.getStats()).values()];
    const { selectedCandidatePairId: id } = all.find(({ type }) => type === 'transport');
    const pair = all.find((one) => one.id === id);
    const { candidateType, relayProtocol, url } = all.find((one) => one.id === pair.localCandidateId);
    return { candidateType, relayProtocol, url };
  });
}

async function talk(one, other) {
  await framesRising(one.page, other.id);
  await framesRising(other.page, one.id);
  await heard(one.page, other.id);
  await heard(other.page, one.id);
}

test('over the relay only; the first TURN server is dead', { skip }, async () => {
  const turn = await started(startTurn({ address, secret: SECRET }));
  const dead = await freePort(address);
  const server = await startRoda([`turn:${address}:${dead}?transport=udp`, `turn:${address}:${turn.port}`]);
  const room = newRoom();
  const ana = await newPerson('Ana', { relayOnly: false });
  await enter(ana, { url: server.url, room, role: 'host' });
  const bia = await newPerson('Bia');
  await enter(bia, { url: server.url, room });
  await talk(ana, bia);
  const used = await path(bia.page);
  assert.equal(used.candidateType, 'relay');
  assert.ok(used.url.includes(`:${turn.port}`), used.url);
  assert.notEqual((await path(ana.page)).candidateType, 'relay');

  // A restart has to find the policy and the servers as they were told last.
  await bia.page.evaluate(() => roda.client.restartIce());
  await talk(ana, bia);
  assert.equal((await path(bia.page)).candidateType, 'relay');
  noProblems(people);
});

test('two coturns with secrets of their own: either does', { skip }, async () => {
  const first = await started(startTurn({ address, secret: 'north' }));
  const second = await started(startTurn({ address, secret: 'south' }));
  const servers = [
    { urls: `turn:${address}:${first.port}`, secret: 'north' },
    { urls: [`turn:${address}:${second.port}`], secret: 'south' },
  ];
  const server = await started(startServer({ TURN_SERVERS: JSON.stringify(servers), MEDIA_BIND: address }));
  const room = newRoom();
  const ana = await newPerson('Ana');
  await enter(ana, { url: server.url, room, role: 'host' });
  const used = await path(ana.page);
  const [dying, other] = used.url.includes(`:${first.port}`) ? [first, second] : [second, first];
  await dying.stop();
  stopping.splice(stopping.indexOf(dying), 1);
  const bia = await newPerson('Bia');
  await enter(bia, { url: server.url, room });
  assert.ok((await path(bia.page)).url.includes(`:${other.port}`));
  const hasMoved = async () => (await path(ana.page)).url?.includes(`:${other.port}`);
  await waitFor('Ana to come over the other one', hasMoved, MOVE_MS);
  await talk(ana, bia);
});

test('a wrong secret: nobody gets through, and it is told', { skip }, async () => {
  const turn = await started(startTurn({ address, secret: SECRET }));
  const server = await startRoda([`turn:${address}:${turn.port}`], { secret: 'another one altogether' });
  const bia = await newPerson('Bia');
  await openLobby(bia.page, { url: server.url, room: newRoom() });
  const told = [];
  bia.page.on('console', (message) => told.push(message.text()));
  await bia.page.locator('#name').fill('Bia');
  await bia.page.locator('button[type=submit]').click();
  await waitFor('the refusal', () => told.some((text) => /refuses: 401/.test(text)));
  assert.notEqual(await bia.page.evaluate(() => roda.client.mediaState), 'connected');
  assert.match(await bia.page.locator('.state').textContent(), /Conectando/);
  await waitFor('the banner', async () => /relay recusa/.test(await bia.page.locator('.banner').textContent()));
});

for (const transport of ['udp', 'tcp']) {
  test(`nothing but coturn can be reached, over ${transport}`, { skip }, async (t) => {
    const network = makeNamespace(transport);
    if (network.reason) return t.skip(network.reason);
    stopping.push(network);
    const proxy = await started(startProxy({ host: network.outside }));
    const turn = await started(startTurn({ address: network.outside, secret: SECRET }));
    const server = await startRoda([`turn:${network.outside}:${turn.port}?transport=${transport}`], {
      bind: network.outside,
      FRONTEND_URL: proxy.url,
    });
    proxy.aim(server.url);
    const page = new URL(proxy.url).port;
    network.only([
      `ip daddr ${network.outside} tcp dport ${page}`,
      `ip daddr ${network.outside} ${transport} dport ${turn.port}`,
    ]);
    const flags = [`--unsafely-treat-insecure-origin-as-secure=${proxy.url}`];
    const behind = await started(startChromium({ executablePath: network.chromium, flags }));
    const room = newRoom();
    const ana = await newPerson('Ana', { relayOnly: false });
    await enter(ana, { url: server.url, room, role: 'host' });
    const bia = await newPerson('Bia', { from: behind, relayOnly: false });
    await enter(bia, { url: proxy.url, room });
    await talk(ana, bia);
    const used = await path(bia.page);
    assert.deepEqual([used.candidateType, used.relayProtocol], ['relay', transport]);
    assert.ok(network.dropped() > 0, 'other ways were tried, and closed');
    noProblems(people, /ERR_NETWORK_CHANGED/); // the namespace came while the page was loading
  });
}
