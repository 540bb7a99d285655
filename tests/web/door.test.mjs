// Does the client wait to be let in, and does a host's client know who waits?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import { RodaClient } from '../../web/client.js';
import { FakeClock, FakeMediaStream, FakePeerConnection, FakeStorage, FakeWebSocket, settle } from './fakes.mjs';

const WAITING = { waiting: true, roomId: 'r', userId: 'me', name: 'Eu', sessionToken: 'knock' };
const ACK = {
  roomId: 'r',
  userId: 'me',
  name: 'Eu',
  role: 'host',
  sessionToken: 'knock',
  hostId: 'me',
  resumed: false,
  iceServers: [],
  participants: [],
};

globalThis.MediaStream = FakeMediaStream;
const clients = [];
afterEach(() => clients.splice(0).forEach((client) => client.leave()));

/** A client whose join was answered with that; `joined` is the promise of the join. */
async function ask(answer) {
  const client = new RodaClient({
    url: 'ws://x/ws',
    storage: new FakeStorage(),
    WebSocketClass: FakeWebSocket,
    PeerConnection: FakePeerConnection,
  });
  clients.push(client);
  const events = [];
  for (const type of ['waiting', 'knocks', 'room-changed']) {
    client.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  const connected = client.connect();
  FakeWebSocket.last.open();
  await connected;
  const joined = client.join({ roomId: 'r', name: 'Eu', password: 'quiet' });
  FakeWebSocket.last.ack('join-room', answer);
  await settle();
  const of = (type) => events.filter(([one]) => one === type).map(([, detail]) => detail);
  return { client, joined, of, socket: FakeWebSocket.last };
}

test('who has to wait joins when admitted, over another socket too', async (t) => {
  const clock = new FakeClock(t);
  const { client, joined, of } = await ask(WAITING);
  assert.equal(client.status, 'waiting');
  assert.equal(client.connection, null); // no media before that
  FakeWebSocket.last.drop();
  assert.equal(client.status, 'reconnecting');
  clock.tick(300);
  FakeWebSocket.last.open();
  assert.deepEqual(FakeWebSocket.last.find('join-room').data, {
    roomId: 'r',
    name: 'Eu',
    password: 'quiet',
    userId: 'me',
    sessionToken: 'knock',
  });
  FakeWebSocket.last.ack('join-room', WAITING);
  await settle();
  assert.equal(client.status, 'waiting');
  FakeWebSocket.last.say('admitted', { ...ACK, room: { locked: true } });
  assert.equal((await joined).userId, 'me');
  assert.equal(client.status, 'joined');
  assert.equal(client.room.locked, true);
  assert.ok(client.connection);
  assert.equal(of('waiting').length, 2);
});

test('who is sent away, or goes, has not joined', async () => {
  const denied = await ask(WAITING);
  FakeWebSocket.last.say('denied', { roomId: 'r', reason: 'denied' });
  await assert.rejects(denied.joined, { code: 'denied' });
  assert.equal(denied.client.status, 'connected');
  const left = await ask(WAITING);
  left.client.leave();
  await assert.rejects(left.joined, { code: 'left' });
});

test('a host hears who waits and what the room asks', async () => {
  const { client, socket, of } = await ask(ACK);
  socket.say('knock', { userId: 'bob', name: 'Bob' });
  socket.say('knock', { userId: 'bob', name: 'Bob' }); // told again after a drop
  assert.deepEqual(
    of('knocks').map(({ knocks, name }) => [knocks.length, name]),
    [
      [1, 'Bob'],
      [1, null],
    ],
  );
  const admitted = client.admit('bob');
  assert.deepEqual(socket.find('admit').data, { userId: 'bob' });
  socket.ack('admit');
  await admitted;
  const denied = client.deny();
  assert.deepEqual(socket.find('deny').data, { all: true });
  socket.ack('deny');
  await denied;
  socket.say('knock-ended', { userId: 'bob', reason: 'admitted' });
  assert.equal(client.knocks.size, 0);
  socket.say('room-changed', { roomId: 'r', by: 'ana', name: null, locked: true, waitingRoom: false });
  assert.equal(client.room.locked, true);
  assert.equal(of('room-changed')[0].by, 'ana');
});

test('a refusal says why', async () => {
  const { client, socket } = await ask(ACK);
  const refused = client.updateRoom({ password: 'x' });
  socket.say('error', { code: 'forbidden', reason: 'locked', message: 'no' }, socket.find('update-room').id);
  await assert.rejects(refused, { code: 'forbidden', reason: 'locked' });
});
