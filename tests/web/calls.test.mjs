// Does the client know at each moment which call rings, which one it is in, and how each one ended?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { RodaClient, takeSession } from '../../web/client.js';
import { outcome } from '../../web/switchboard.js';
import {
  FakeClock,
  FakeMediaStream,
  FakePeerConnection,
  FakeStorage,
  FakeWebSocket,
  fakeTrack,
  settle,
} from './fakes.mjs';

globalThis.MediaStream = FakeMediaStream;
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);

const person = (userId, status = 'RINGING') => ({ userId, userName: userId.toUpperCase(), status });
const CALL = {
  id: 'c1',
  roomId: 'room1',
  type: 'VIDEO',
  status: 'RINGING',
  initiatorId: 'me',
  initiatorName: 'Eu',
  participants: [person('me', 'JOINED'), person('ana')],
  startedAt: '2026-01-31T10:00:00.000Z',
};
const INCOMING = {
  ...CALL,
  id: undefined,
  callId: 'c2',
  roomId: 'room2',
  initiatorId: 'ana',
  participants: [person('me')],
};

const clients = [];
beforeEach(() => (FakeWebSocket.all = []));
afterEach(() => clients.splice(0).forEach((client) => client.leave()));

async function connect(options = {}) {
  const storage = new FakeStorage();
  const client = new RodaClient({
    server: 'http://x.example/',
    userId: 'me',
    name: 'Eu é',
    storage,
    WebSocketClass: FakeWebSocket,
    PeerConnection: FakePeerConnection,
    ...options,
  });
  clients.push(client);
  const events = [];
  for (const type of ['incoming', 'started', 'status', 'ended']) {
    client.calls.addEventListener(type, ({ detail }) => events.push([type, detail.call.id, detail.call.status]));
  }
  for (const type of ['left', 'ended'])
    client.addEventListener(type, ({ detail }) => events.push([type, detail.reason]));
  const connected = client.connect();
  FakeWebSocket.last.open();
  await connected;
  return { client, storage, events, socket: FakeWebSocket.last };
}

/** What the server does when it puts a socket into the room of a call: who is there, then the ack. */
function putInto(socket, event, { call, callId = call.id, roomId = call.roomId }) {
  const participants = [{ userId: 'me', name: 'Eu', role: 'host', isMuted: false, isVideoEnabled: true }];
  socket.say('room-participants', { roomId, callId, userId: 'me', hostId: 'me', participants });
  socket.ack(event, { callId, roomId, userId: 'me', sessionToken: 'secret', iceServers: [], call });
}

async function start() {
  const one = await connect();
  const calling = one.client.calls.call(['ana'], { type: 'VIDEO' });
  putInto(one.socket, 'CALL_INITIATE', { call: CALL });
  const call = await calling;
  await settle();
  return { ...one, call };
}

test('the address says who we are: by id and name, or by token alone', async () => {
  await connect();
  const url = new URL(FakeWebSocket.last.url);
  assert.deepEqual([url.protocol, url.pathname], ['ws:', '/ws']);
  assert.deepEqual(Object.fromEntries(url.searchParams), { dialect: 'signal', user: 'me', name: 'Eu é' });
  await connect({ token: 'a.b.c', server: 'https://x.example' });
  const secure = new URL(FakeWebSocket.last.url);
  assert.equal(secure.protocol, 'wss:');
  assert.deepEqual(Object.fromEntries(secure.searchParams), { dialect: 'signal', token: 'a.b.c' });
});

test('calling rings, and puts us into the room at once', async () => {
  const { client, socket, call } = await start();
  assert.deepEqual(socket.find('CALL_INITIATE').data, { participantIds: ['ana'], type: 'VIDEO' });
  assert.equal(client.calls.current, call);
  assert.deepEqual([call.id, call.status, call.isIncoming], ['c1', 'RINGING', false]);
  assert.deepEqual([client.status, client.roomId, client.userId, client.role], ['joined', 'room1', 'me', 'host']);
  assert.equal(socket.find('signal-offer').data.target, 'sfu');
  assert.equal(client.participants.size, 0, 'we are not one of the others');
});

test('the call follows what the server says of it, and its end takes us out of the room', async () => {
  const { client, socket, call, events } = await start();
  const joined = {
    callId: 'c1',
    status: 'CONNECTING',
    participants: [person('me', 'JOINED'), person('ana', 'JOINED')],
  };
  socket.say('call-started', joined);
  socket.say('call-status-changed', { ...joined, status: 'CONNECTED', userId: 'ana', userStatus: 'JOINED' });
  assert.equal(call.status, 'CONNECTED');
  assert.equal(call.participants[1].status, 'JOINED');
  socket.say('close-room', { callId: 'c1', roomId: 'room1', by: 'ana', status: 'ENDED', duration: 75, reason: null });
  assert.deepEqual([call.status, call.duration, call.endedBy], ['ENDED', 75, 'ana']);
  assert.deepEqual([client.status, client.roomId, client.calls.current], ['connected', null, null]);
  socket.say('call-ended', { callId: 'c1', status: 'ENDED' });
  assert.deepEqual(events, [
    ['started', 'c1', 'CONNECTING'],
    ['status', 'c1', 'CONNECTED'],
    ['left', 'call-ended'],
    ['ended', 'c1', 'ENDED'],
  ]);
  assert.equal(socket.closedWith, undefined);
  assert.equal(outcome(call), 'callOver');
});

test('whoever is called hears it once, accepts, and is in the room', async () => {
  const { client, socket, events } = await connect();
  socket.say('call-incoming', INCOMING);
  socket.say('call-incoming', INCOMING);
  assert.deepEqual(events, [['incoming', 'c2', 'RINGING']]);
  assert.deepEqual(
    client.calls.ringing.map(({ id }) => id),
    ['c2'],
  );
  const accepting = client.calls.accept('c2');
  putInto(socket, 'CALL_ANSWER', { call: { ...INCOMING, id: 'c2', status: 'CONNECTING' } });
  const call = await accepting;
  assert.deepEqual([call.answer, call.status, client.roomId], ['accepted', 'CONNECTING', 'room2']);
  assert.deepEqual(client.calls.ringing, []);
});

test('declining, being too late on one of two devices, and missing a call', async () => {
  const ends = [
    [
      async ({ client, socket }) => {
        const declining = client.calls.decline('c2', 'Estou ocupado');
        assert.deepEqual(socket.find('CALL_DECLINE').data, { callId: 'c2', reason: 'Estou ocupado' });
        socket.ack('CALL_DECLINE', {});
        await declining;
      },
      null,
    ],
    [
      async ({ socket }) =>
        socket.say('call-status-changed', { callId: 'c2', status: 'CONNECTING', answeredElsewhere: true }),
      'answeredElsewhere',
    ],
    [
      async ({ socket }) => socket.say('call-ended', { callId: 'c2', status: 'MISSED', duration: 0, by: 'ana' }),
      'youMissed',
    ],
  ];
  for (const [end, said] of ends) {
    const one = await connect();
    let over = null;
    one.client.calls.addEventListener('ended', ({ detail }) => (over = detail.call));
    one.socket.say('call-incoming', INCOMING);
    await end(one);
    assert.equal(over?.id, 'c2');
    assert.equal(outcome(over), said);
    assert.deepEqual(one.client.calls.ringing, []);
    assert.equal(one.client.status, 'connected');
  }
});

test('how a call of ours ends, in words: no answer, declined, busy, cancelled by us', async () => {
  for (const [data, said] of [
    [{ status: 'MISSED' }, 'outNoAnswer'],
    [{ status: 'DECLINED', reason: 'declined' }, 'outDeclined'],
    [{ status: 'DECLINED', reason: 'Estou ocupado' }, 'outDeclinedReason'],
    [{ status: 'FAILED' }, 'outFailed'],
    [{ status: 'ENDED', duration: 0 }, 'callOverShort'],
  ]) {
    const { socket, call } = await start();
    socket.say('close-room', { callId: 'c1', ...data });
    assert.equal(outcome(call), said);
  }
  const { client, socket, call } = await start();
  const ending = client.calls.end();
  socket.say('close-room', { callId: 'c1', status: 'MISSED', by: 'me' });
  socket.ack('CALL_END');
  await ending;
  assert.equal(outcome(call), null, 'we know that we hung up');

  const busy = await connect();
  const calling = busy.client.calls.call(['ana']);
  busy.socket.ack('CALL_INITIATE', { call: { ...CALL, status: 'BUSY' }, sessionToken: null });
  assert.equal(outcome(await calling), 'outBusy');
  assert.deepEqual([busy.client.calls.current, busy.client.status], [null, 'connected']);
});

test('removed by the host: out of the call, still reachable', async () => {
  const { client, socket, call, events } = await start();
  socket.say('remove-participant', { callId: 'c1', targetId: 'me', from: 'ana' });
  assert.deepEqual(events, [
    ['left', 'removed'],
    ['ended', 'c1', 'ENDED'],
  ]);
  assert.equal(outcome(call), 'outRemoved');
  socket.say('call-incoming', INCOMING);
  assert.equal(client.calls.ringing.length, 1);
});

test('a drop during a call: back into its room; where that is refused the call is over and we stay', async (t) => {
  const clock = new FakeClock(t);
  const { client, socket, call } = await start();
  socket.drop();
  clock.tick(300);
  FakeWebSocket.last.open();
  const asked = FakeWebSocket.last.find('join-room').data;
  assert.deepEqual([asked.roomId, asked.userId, asked.sessionToken], ['room1', 'me', 'secret']);
  FakeWebSocket.last.ack('join-room', { roomId: 'room1', userId: 'me', sessionToken: 'secret', resumed: true });
  await settle();
  assert.deepEqual([client.status, client.calls.current], ['joined', call]);
  FakeWebSocket.last.drop();
  clock.tick(300);
  FakeWebSocket.last.open();
  FakeWebSocket.last.refuse('join-room', 'room-closed');
  await settle();
  assert.deepEqual([client.status, client.calls.current, call.status], ['connected', null, 'ENDED']);
});

test('a drop while it rings: told again it rings on, not told again it was missed', async (t) => {
  const clock = new FakeClock(t);
  const { client, socket, events } = await connect();
  socket.say('call-incoming', INCOMING);
  socket.say('call-incoming', { ...INCOMING, callId: 'c3' });
  socket.drop();
  clock.tick(300);
  FakeWebSocket.last.open();
  FakeWebSocket.last.say('call-incoming', INCOMING);
  FakeWebSocket.last.ack('heartbeat');
  await settle();
  assert.deepEqual(
    client.calls.ringing.map(({ id }) => id),
    ['c2'],
  );
  assert.deepEqual(events.slice(2), [['ended', 'c3', 'MISSED']]);
});

test('a reload in a call comes back into it', async () => {
  const { storage } = await start();
  page.dispatchEvent(new Event('pagehide'));
  const session = takeSession(undefined, storage);
  assert.deepEqual(session, { roomId: 'room1', userId: 'me', name: 'Eu', sessionToken: 'secret', callId: 'c1' });
  const { client, socket } = await connect();
  const resuming = client.calls.resume(session);
  const asked = socket.find('join-room').data;
  assert.deepEqual([asked.roomId, asked.sessionToken, asked.freshMedia], ['room1', 'secret', true]);
  socket.ack('join-room', { roomId: 'room1', userId: 'me', sessionToken: 'secret', resumed: true, participants: [] });
  const call = await resuming;
  assert.deepEqual([client.calls.current, client.status], [call, 'joined']);
  assert.ok(client.connection);
});

test('an ordinary room leaves no session for a call, and a call none for a room', async () => {
  const { storage } = await start();
  page.dispatchEvent(new Event('pagehide'));
  assert.equal(takeSession('another', storage), null);
  storage.setItem('roda.session', JSON.stringify({ roomId: 'r', sessionToken: 's' }));
  assert.equal(takeSession(undefined, storage), null);
});

test('history over HTTP, as whoever we are; a refusal has its code', async () => {
  const asked = [];
  const answer = (status, body) => new Response(JSON.stringify(body), { status });
  globalThis.fetch = async (url, options) => {
    asked.push([options.method, url.pathname + url.search, options.headers, options.body]);
    return url.searchParams.get('page') === '9'
      ? answer(400, { error: { code: 'bad-field', message: 'page: too far' } })
      : answer(200, { calls: [] });
  };
  const open = await start();
  assert.deepEqual(await open.client.calls.history({ page: 2, type: 'VIDEO' }), { calls: [] });
  await assert.rejects(open.client.calls.history({ page: 9 }), { code: 'bad-field', message: 'page: too far' });
  const closed = await connect({ token: 'a.b.c' });
  await closed.client.calls.active();
  assert.deepEqual(asked, [
    ['GET', '/calls/history?page=2&limit=20&type=VIDEO&user=me', {}, undefined],
    ['GET', '/calls/history?page=9&limit=20&user=me', {}, undefined],
    ['GET', '/calls/active?page=1&limit=20', { authorization: 'Bearer a.b.c' }, undefined],
  ]);
  globalThis.fetch = async () => Promise.reject(new TypeError('no network'));
  await assert.rejects(open.client.calls.history(), { code: 'offline' });
});

test('more people are rung for the call we are in', async () => {
  const { client, socket } = await start();
  const adding = client.calls.add(['rui', 'eva']);
  assert.deepEqual(socket.find('CALL_ADD_PARTICIPANTS').data, { callId: 'c1', participantIds: ['rui', 'eva'] });
  socket.ack('CALL_ADD_PARTICIPANTS', {});
  await adding;
});

test('what we publish survives from one call to the next', async () => {
  const one = await connect();
  const camera = fakeTrack('video');
  const publishing = one.client.publish('camera', camera);
  await publishing;
  one.client.calls.call(['ana']);
  putInto(one.socket, 'CALL_INITIATE', { call: CALL });
  await settle();
  assert.equal(FakePeerConnection.last.transceivers[0].sender.track, camera);
});
