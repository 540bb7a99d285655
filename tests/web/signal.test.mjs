// Does the WebSocket layer match acks, dial again, notice silence, and stop when told?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { Signal, retryDelay } from '../../web/signal.js';
import { FakeClock, FakeWebSocket, settle } from './fakes.mjs';

function open() {
  const signal = new Signal('ws://x/ws', { WebSocketClass: FakeWebSocket });
  const events = [];
  for (const type of ['open', 'drop', 'message'])
    signal.addEventListener(type, ({ detail }) => events.push([type, detail]));
  signal.open();
  FakeWebSocket.last.open();
  return { signal, events, socket: FakeWebSocket.last };
}

beforeEach(() => (FakeWebSocket.all = []));

test('each ack and error finds its own request, in any order', async () => {
  const { signal, socket } = open();
  const first = signal.request('a', { n: 1 });
  const second = signal.request('b');
  const third = signal.request('c');
  assert.notEqual(socket.find('a').id, socket.find('b').id);
  assert.deepEqual(socket.find('a').data, { n: 1 });
  socket.ack('b', { n: 2 });
  socket.refuse('c', 'forbidden', 'no');
  socket.ack('a', { n: 1 });
  assert.deepEqual(await first, { n: 1 });
  assert.deepEqual(await second, { n: 2 });
  await assert.rejects(third, { name: 'SignalError', code: 'forbidden', event: 'c', message: 'no' });
  signal.close();
});

test('an ack twice, of nobody, or without id does nothing', async () => {
  const { signal, socket, events } = open();
  const request = signal.request('a');
  socket.ack('a', { n: 1 });
  socket.ack('a', { n: 2 });
  socket.say('ack', {}, 99);
  socket.say('ack', {});
  assert.deepEqual(await request, { n: 1 });
  assert.deepEqual(
    events.filter(([type]) => type === 'message'),
    [],
  );
  signal.close();
});

test('what is not JSON is passed over, an event is told, an error without id is told', () => {
  const { signal, socket, events } = open();
  socket.onmessage({ data: 'rubbish' });
  socket.onmessage({ data: 'null' });
  socket.say('chat-message', { text: 'hi' });
  socket.say('error', { code: 'rate-limited' });
  const told = events.filter(([type]) => type === 'message').map(([, detail]) => detail);
  assert.deepEqual(told, [
    { event: 'chat-message', data: { text: 'hi' } },
    { event: 'error', data: { code: 'rate-limited' } },
  ]);
  signal.close();
});

test('a request fails at once while offline, when too large, and when the socket drops', async () => {
  const { signal, socket } = open();
  await assert.rejects(signal.request('a', { text: 'x'.repeat(70_000) }), { code: 'too-big' });
  const flying = signal.request('b');
  socket.drop();
  await assert.rejects(flying, { code: 'offline' });
  await assert.rejects(signal.request('c'), { code: 'offline' });
  signal.close();
});

test('a request without an answer times out', async (t) => {
  const clock = new FakeClock(t);
  const { signal } = open();
  const request = signal.request('a', {}, 500);
  clock.tick(499);
  await settle();
  clock.tick(1);
  await assert.rejects(request, { code: 'timeout' });
  signal.close();
});

test('the waits double up to a ceiling, with a random half', () => {
  const longest = [0, 1, 2, 3, 4, 5, 6].map((attempt) => retryDelay(attempt, 1));
  assert.deepEqual(longest, [300, 600, 1200, 2400, 4800, 8000, 8000]);
  assert.equal(retryDelay(6, 0), 4000);
});

test('a dropped socket is dialled again, later each time, and settle() starts over', (t) => {
  const clock = new FakeClock(t);
  const { signal, events, socket } = open();
  const retries = () => events.filter(([type]) => type === 'drop').map(([, { retryMs }]) => retryMs);
  socket.drop();
  clock.tick(retries().at(-1) - 1);
  assert.equal(FakeWebSocket.all.length, 1);
  clock.tick(1);
  assert.equal(FakeWebSocket.all.length, 2);
  FakeWebSocket.last.drop();
  assert.ok(retries()[1] >= 300 && retries()[1] <= 600);
  clock.tick(retries()[1]);
  FakeWebSocket.last.open();
  signal.settle();
  FakeWebSocket.last.drop();
  assert.ok(retries()[2] <= 300);
  signal.close();
});

test('close codes 1000 and 1008 of the server are final; so is close() here', (t) => {
  const clock = new FakeClock(t);
  for (const code of [1000, 1008]) {
    const { events, socket } = open();
    socket.drop(code, 'go away');
    assert.deepEqual(events.at(-1), ['drop', { code, reason: 'go away', retryMs: null }]);
  }
  const { signal, socket } = open();
  const before = FakeWebSocket.all.length;
  signal.close();
  assert.equal(socket.closedWith, 1000);
  clock.tick(60_000);
  assert.equal(FakeWebSocket.all.length, before);
});

test('a socket that never opens is given up', (t) => {
  const clock = new FakeClock(t);
  const signal = new Signal('ws://x/ws', { WebSocketClass: FakeWebSocket });
  signal.open();
  clock.tick(8000);
  assert.equal(FakeWebSocket.last.closedWith, 'abandoned');
  clock.tick(300);
  assert.equal(FakeWebSocket.all.length, 2);
  signal.close();
});

test('silence is noticed: an unanswered heartbeat drops the socket, an answered one does not', async (t) => {
  const clock = new FakeClock(t);
  const { signal, socket, events } = open();
  clock.tick(10_000);
  socket.ack('heartbeat');
  await settle();
  clock.tick(9999);
  assert.equal(socket.closedWith, undefined);
  clock.tick(1);
  clock.tick(6000);
  await settle();
  assert.equal(socket.closedWith, 'abandoned');
  assert.equal(events.at(-1)[1].reason, 'silent');
  signal.close();
});

test('probe() dials at once instead of waiting', (t) => {
  const clock = new FakeClock(t);
  const { signal, socket } = open();
  socket.drop();
  signal.probe();
  assert.equal(FakeWebSocket.all.length, 2);
  clock.tick(60_000 / 8 - 1);
  assert.equal(FakeWebSocket.all.length, 2, 'the retry that was pending must not dial a second time');
  signal.close();
  signal.probe();
  assert.equal(FakeWebSocket.all.length, 2);
});
