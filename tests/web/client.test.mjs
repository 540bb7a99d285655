// Does the client keep its place through drops, reloads, mutes and goodbyes, and know who is here?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';
import { RodaClient, takeSession } from '../../web/client.js';
import {
  FakeClock,
  FakeMediaStream,
  FakePeerConnection,
  FakeStorage,
  FakeWebSocket,
  fakeTrack,
  settle,
} from './fakes.mjs';

const ACK = {
  roomId: 'r',
  userId: 'me',
  name: 'Eu',
  role: 'participant',
  sessionToken: 'secret',
  hostId: 'ana',
  resumed: false,
  iceServers: [{ urls: 'stun:x' }],
  participants: [
    { userId: 'me', name: 'Eu', role: 'participant', isMuted: false, isVideoEnabled: true, isSharingScreen: false },
    { userId: 'ana', name: 'Ana', role: 'host', isMuted: true, isVideoEnabled: true, isSharingScreen: false },
  ],
};
const TYPES = [
  'joined',
  'status',
  'ended',
  'left',
  'participant-joined',
  'participant-changed',
  'participant-left',
  'track',
  'track-ended',
  'chat',
  'speaker',
  'muted-by-host',
  'unlocked-by-host',
  'host-changed',
  'server-draining',
  'error',
];

globalThis.MediaStream = FakeMediaStream;
const page = new EventTarget(); // what the page would be: it goes away, it comes online
globalThis.addEventListener = page.addEventListener.bind(page);
globalThis.removeEventListener = page.removeEventListener.bind(page);

const clients = [];
beforeEach(() => (FakeWebSocket.all = []));
afterEach(() => clients.splice(0).forEach((client) => client.leave())); // a failed test must not keep its timers

async function join({ ack = ACK, sessionToken, before } = {}) {
  const storage = new FakeStorage();
  const client = new RodaClient({
    url: 'ws://x/ws',
    storage,
    WebSocketClass: FakeWebSocket,
    PeerConnection: FakePeerConnection,
  });
  clients.push(client);
  const events = [];
  for (const type of TYPES) client.addEventListener(type, ({ detail }) => events.push([type, detail]));
  const connected = client.connect();
  FakeWebSocket.last.open();
  await connected;
  await before?.(client);
  const joined = client.join({ roomId: 'r', name: 'Eu', role: 'participant', sessionToken });
  FakeWebSocket.last.ack('join-room', ack);
  await joined;
  await settle();
  FakeWebSocket.last.say('signal-answer', { from: 'sfu', sdp: { type: 'answer', sdp: 'their answer' } });
  FakeWebSocket.last.ack('signal-offer');
  await settle();
  const of = (type) => events.filter(([one]) => one === type).map(([, detail]) => detail);
  return { client, storage, events, of, socket: FakeWebSocket.last, pc: FakePeerConnection.last };
}

/** The server gives the client tracks of Ana on the mids given. */
async function giveTracks({ socket, pc }, tracks) {
  for (const { mid, kind } of tracks) {
    pc.transceivers.push({
      mid,
      currentDirection: 'recvonly',
      direction: 'recvonly',
      receiver: { track: fakeTrack(kind) },
    });
  }
  socket.say('tracks', { tracks: tracks.map((track) => ({ userId: 'ana', name: 'Ana', ...track })) });
  socket.say('signal-offer', { from: 'sfu', sdp: { type: 'offer', sdp: 'their offer' } });
  await settle();
}

test('joining tells what was asked, who is here, and opens the media side', async () => {
  const { client, socket, of, pc } = await join();
  assert.deepEqual(socket.find('join-room').data, { roomId: 'r', name: 'Eu', role: 'participant' });
  assert.deepEqual([...client.participants.keys()], ['ana']);
  assert.equal(of('participant-joined')[0].participant.isMuted, true);
  assert.deepEqual(pc.config.iceServers, ACK.iceServers);
  assert.equal(socket.find('signal-offer').data.target, 'sfu');
  assert.deepEqual([client.status, client.userId, client.isHost, client.hostId], ['joined', 'me', false, 'ana']);
  client.leave();
});

test('what was published before the join goes out with it, once', async () => {
  const { client, socket, pc } = await join({ before: (one) => one.publish('microphone', fakeTrack('audio')) });
  assert.equal(pc.transceivers.length, 1);
  const said = socket.sent.filter(({ event }) => event === 'media-update').map(({ data }) => data);
  assert.deepEqual(said, [{ isMuted: false, isVideoEnabled: false, isSharingScreen: false }]);
  client.leave();
});

test('a refused join rejects with the code of the server and leaves the client usable', async () => {
  const client = new RodaClient({ url: 'ws://x', storage: new FakeStorage(), WebSocketClass: FakeWebSocket });
  const connected = client.connect();
  FakeWebSocket.last.open();
  await connected;
  const joined = client.join({ roomId: 'r', name: 'x' });
  FakeWebSocket.last.refuse('join-room', 'room-full', 'full');
  await assert.rejects(joined, { code: 'room-full' });
  assert.equal(client.status, 'connected');
  client.leave();
  await assert.rejects(client.connect(), { code: 'busy' });
});

test('a server that will not have us ends it: connect() rejects', async () => {
  const client = new RodaClient({ url: 'ws://x', storage: new FakeStorage(), WebSocketClass: FakeWebSocket });
  const connected = client.connect();
  FakeWebSocket.last.drop(1008);
  await assert.rejects(connected, { code: 'refused' });
});

test('a drop: same participant with the session token, same connection, open offer said again', async (t) => {
  const clock = new FakeClock(t);
  const one = await join();
  one.socket.drop();
  assert.equal(one.client.status, 'reconnecting');
  clock.tick(300);
  FakeWebSocket.last.open();
  const again = FakeWebSocket.last.find('join-room').data;
  assert.deepEqual([again.sessionToken, again.userId, again.freshMedia], ['secret', 'me', undefined]);
  FakeWebSocket.last.ack('join-room', { ...ACK, resumed: true });
  await settle();
  assert.equal(FakePeerConnection.last, one.pc);
  assert.equal(one.client.connection, one.pc);
  assert.equal(FakeWebSocket.last.find('signal-offer').data.sdp.type, 'offer');
  assert.ok(FakeWebSocket.last.find('media-update'));
  assert.equal(one.client.status, 'joined');
  one.client.leave();
});

test('a drop that lasted too long: a new participant needs a new connection with the same tracks', async (t) => {
  const clock = new FakeClock(t);
  const one = await join({ before: (client) => client.publish('camera', fakeTrack('video')) });
  one.socket.drop();
  clock.tick(300);
  FakeWebSocket.last.open();
  FakeWebSocket.last.ack('join-room', { ...ACK, sessionToken: 'other', resumed: false });
  await settle();
  assert.notEqual(FakePeerConnection.last, one.pc);
  assert.ok(one.pc.closed);
  assert.equal(FakePeerConnection.last.transceivers.length, 1);
  one.client.leave();
});

test('who came and went during a drop is told afterwards', async (t) => {
  const clock = new FakeClock(t);
  const one = await join();
  one.socket.drop();
  clock.tick(300);
  FakeWebSocket.last.open();
  const rui = { ...ACK.participants[1], userId: 'rui', name: 'Rui' };
  FakeWebSocket.last.ack('join-room', { ...ACK, resumed: true, participants: [ACK.participants[0], rui] });
  await settle();
  assert.deepEqual([...one.client.participants.keys()], ['rui']);
  assert.equal(one.of('participant-left')[0].participant.userId, 'ana');
  one.client.leave();
});

test('a rejoin the server refuses for good ends it with the reason; another error is tried again', async (t) => {
  for (const [code, reason] of [
    ['room-closed', 'room-closed'],
    ['forbidden', 'removed'],
    ['busy', 'replaced'],
  ]) {
    const clock = new FakeClock(t);
    const one = await join();
    one.socket.drop();
    clock.tick(300);
    FakeWebSocket.last.open();
    FakeWebSocket.last.refuse('join-room', 'internal');
    await settle();
    clock.tick(2000);
    assert.equal(FakeWebSocket.last.sent.filter(({ event }) => event === 'join-room').length, 2);
    FakeWebSocket.last.refuse('join-room', code);
    await settle();
    assert.deepEqual(one.of('ended'), [{ reason, by: null }]);
    clock.stop();
  }
});

test('a reload finds its session, another tab and another room do not', async () => {
  const { client, storage } = await join();
  assert.equal(takeSession('r', storage), null, 'a living page leaves nothing for a duplicated tab');
  page.dispatchEvent(new Event('pagehide'));
  assert.equal(takeSession('other', storage), null);
  page.dispatchEvent(new Event('pagehide'));
  const session = takeSession('r', storage);
  assert.deepEqual(session, { roomId: 'r', userId: 'me', name: 'Eu', sessionToken: 'secret' });
  assert.equal(takeSession('r', storage), null);
  client.leave();
  page.dispatchEvent(new Event('pagehide'));
  assert.equal(takeSession('r', storage), null, 'who left is gone');

  const back = await join({ ack: { ...ACK, resumed: true }, sessionToken: session.sessionToken });
  const asked = back.socket.find('join-room').data;
  assert.deepEqual([asked.sessionToken, asked.freshMedia], ['secret', true]);
  assert.ok(back.client.connection);
  back.client.leave();
});

test('tracks are known by what the server says of each mid, and end when it says so', async () => {
  const one = await join();
  await giveTracks(one, [
    { mid: '10', kind: 'audio', source: 'microphone' },
    { mid: '11', kind: 'video', source: 'camera' },
  ]);
  assert.deepEqual(
    one.of('track').map(({ userId, source, kind }) => [userId, source, kind]),
    [
      ['ana', 'microphone', 'audio'],
      ['ana', 'camera', 'video'],
    ],
  );
  assert.deepEqual([...one.client.participants.get('ana').tracks.keys()], ['microphone', 'camera']);
  one.socket.say('tracks', { tracks: [{ mid: '10', userId: 'ana', kind: 'audio', source: 'microphone' }] });
  assert.deepEqual(
    one.of('track-ended').map(({ source }) => source),
    ['camera'],
  );
  one.socket.say('user-disconnected', { userId: 'ana', reason: 'left' });
  assert.equal(one.of('track-ended').length, 2);
  assert.equal(one.of('participant-left')[0].reason, 'left');
  one.client.leave();
});

test('tracks of somebody who is not known yet are shown once they are', async () => {
  const one = await join({ ack: { ...ACK, participants: [] } });
  await giveTracks(one, [{ mid: '10', kind: 'video', source: 'camera' }]);
  assert.deepEqual(one.of('track'), []);
  one.socket.say('user-connected', { userId: 'ana', name: 'Ana' });
  assert.equal(one.of('track').length, 1);
  one.client.leave();
});

test('muted by the host: silent at once, told, and a locked microphone stays off', async () => {
  const microphone = fakeTrack('audio');
  const one = await join({ before: (client) => client.publish('microphone', microphone) });
  one.socket.say('mute-participant', { targetId: 'me', from: 'ana', kind: 'audio', muted: true, locked: true });
  assert.equal(microphone.enabled, false);
  assert.deepEqual(one.of('muted-by-host'), [{ by: 'ana', kind: 'audio', source: 'microphone', locked: true }]);
  const opened = one.client.setEnabled('microphone', true);
  one.socket.refuse('media-update', 'forbidden');
  await assert.rejects(opened, { code: 'forbidden' });
  assert.equal(microphone.enabled, false);
  one.socket.say('mute-participant', { targetId: 'me', from: 'ana', kind: 'audio', muted: false, locked: false });
  assert.equal(one.of('unlocked-by-host').length, 1);
  assert.equal(microphone.enabled, false, 'nobody opens the microphone of somebody else');
  one.client.leave();
});

test('what the others do: media, chat, speaker, host', async () => {
  const { client, socket, of } = await join();
  socket.say('media-changed', { userId: 'ana', isMuted: false, isVideoEnabled: false, isSharingScreen: false });
  assert.equal(client.participants.get('ana').isVideoEnabled, false);
  socket.say('media-changed', { userId: 'ana', isMuted: false, isVideoEnabled: false, isSharingScreen: false });
  assert.equal(of('participant-changed').length, 1, 'nothing changed the second time');
  socket.say('chat-message', { from: 'ana', name: 'Ana', text: 'oi' });
  assert.equal(of('chat')[0].text, 'oi');
  socket.say('active-speaker', { userId: null, level: -127 });
  assert.deepEqual(of('speaker'), [{ userId: null, level: -127 }]);
  socket.say('host-changed', { hostId: 'me' });
  const participants = ACK.participants.map((one) => ({
    ...one,
    role: one.userId === 'me' ? 'host' : 'participant',
  }));
  socket.say('room-participants', { roomId: 'r', hostId: 'me', participants });
  assert.equal(of('host-changed').length, 1);
  assert.ok(client.isHost);
  socket.say('server-draining', { secondsLeft: 120 });
  assert.deepEqual(of('server-draining'), [{ secondsLeft: 120 }]);
  socket.say('something-new', {});
  client.leave();
});

test('offers of other participants are not taken for offers of the server', async () => {
  const { client, socket, pc } = await join();
  socket.say('signal-offer', { from: 'ana', sdp: { type: 'offer', sdp: 'peer to peer' } });
  await settle();
  assert.equal(pc.remoteDescription.sdp, 'their answer');
  client.leave();
});

test('the end has its reason, once, and nothing is heard after it', async () => {
  const ends = [
    [(socket) => socket.say('close-room', { by: 'ana' }), { reason: 'room-closed', by: 'ana' }],
    [(socket) => socket.say('remove-participant', { targetId: 'me', from: 'ana' }), { reason: 'removed', by: 'ana' }],
    [
      (socket) => socket.say('user-disconnected', { userId: 'me', reason: 'replaced' }),
      { reason: 'replaced', by: null },
    ],
    [(socket) => socket.drop(1000, 'resumed on another socket'), { reason: 'replaced', by: null }],
    [(socket) => socket.drop(1008, 'rate-limited'), { reason: 'refused', by: null }],
  ];
  for (const [act, expected] of ends) {
    const { client, socket, of, pc } = await join();
    act(socket);
    socket.say('chat-message', { from: 'ana', text: 'late' });
    client.leave();
    assert.deepEqual(of('ended'), [expected]);
    assert.deepEqual(of('chat'), []);
    assert.ok(pc.closed);
    await client.publish('camera', fakeTrack('video'));
    await client.unpublish('camera');
  }
});

test('a media side the server has lost is made anew, and not in a frenzy', async (t) => {
  const clock = new FakeClock(t);
  const one = await join();
  one.socket.say('media-state', { state: 'failed' });
  const second = FakePeerConnection.last;
  assert.notEqual(second, one.pc);
  assert.ok(one.pc.closed);
  one.socket.say('media-state', { state: 'failed' });
  assert.equal(FakePeerConnection.last, second);
  one.client.leave();
  clock.tick(60_000);
  assert.equal(FakePeerConnection.last, second);
});

test('leaving the room keeps the socket and what is published; another room may follow', async () => {
  const camera = fakeTrack('video');
  const { client, socket, of, pc } = await join({ before: (one) => one.publish('camera', camera) });
  const left = client.leaveRoom();
  assert.deepEqual(of('left'), [{ roomId: 'r', reason: 'left', by: null }]);
  assert.deepEqual(
    [client.status, client.userId, client.roomId, client.participants.size],
    ['connected', null, null, 0],
  );
  assert.ok(pc.closed);
  socket.ack('leave-room');
  await left;
  assert.equal(socket.closedWith, undefined);
  const joined = client.join({ roomId: 'other', name: 'Eu' });
  socket.ack('join-room', { ...ACK, roomId: 'other' });
  await joined;
  assert.deepEqual([client.status, client.roomId], ['joined', 'other']);
  assert.equal(FakePeerConnection.last.transceivers[0].sender.track, camera);
});

test('connected and in no room, a drop is dialled again without a join', async (t) => {
  const clock = new FakeClock(t);
  const client = new RodaClient({ url: 'ws://x', storage: new FakeStorage(), WebSocketClass: FakeWebSocket });
  clients.push(client);
  const connected = client.connect();
  FakeWebSocket.last.open();
  await connected;
  assert.equal(client.status, 'connected');
  FakeWebSocket.last.drop();
  assert.equal(client.status, 'reconnecting');
  clock.tick(300);
  FakeWebSocket.last.open();
  assert.equal(client.status, 'connected');
  assert.deepEqual(FakeWebSocket.last.sent, []);
});

test('what is published without a track is opened and closed here; a given track is left alone', async () => {
  const opened = [];
  const open = (kind) => async () => {
    const track = Object.assign(fakeTrack(kind), { stop: () => (track.stopped = true) });
    opened.push(track);
    return { getTracks: () => [track] };
  };
  const mediaDevices = { getUserMedia: open('video'), getDisplayMedia: open('video') };
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true });
  const { client, socket, pc } = await join();
  const said = async (promise) => {
    await settle();
    socket.ack('media-update');
    return promise;
  };
  const given = Object.assign(fakeTrack('video'), { stop: () => assert.fail('it is not ours') });
  assert.equal(await said(client.publish('camera')), opened[0]);
  await said(client.publish('camera', given));
  assert.ok(opened[0].stopped);
  assert.equal(pc.transceivers[0].sender.track, given);
  await said(client.unpublish('camera'));
  await said(client.publish('screen'));
  opened[1].onended(); // "stop sharing" in the browser's own bar
  await settle();
  assert.equal(client.localTrack('screen'), null);
  await said(client.publish('camera'));
  client.leave();
  assert.ok(opened[2].stopped);
  await assert.rejects(client.publish('hologram'), TypeError);
});

test('a subscriber is told of one source of one person, from now on', async () => {
  const one = await join();
  const seen = [];
  const stop = one.client.subscribe('ana', 'camera', (entry) => seen.push(entry?.mid ?? null));
  await giveTracks(one, [
    { mid: '10', kind: 'audio', source: 'microphone' },
    { mid: '11', kind: 'video', source: 'camera' },
  ]);
  assert.equal(one.client.remoteTrack('ana', 'camera').kind, 'video');
  one.client.subscribe('ana', 'camera', (entry) => seen.push(entry && 'late'));
  one.socket.say('tracks', { tracks: [] });
  assert.deepEqual(seen, ['11', 'late', null, null]);
  assert.equal(one.client.remoteTrack('ana', 'camera'), null);
  stop();
  one.client.leave();
});

test('everything the server says can be heard, everything it understands can be said', async () => {
  const { client, socket } = await join();
  const heard = [];
  client.addEventListener('message', ({ detail }) => heard.push([detail.event, detail.data]));
  socket.say('something-new', { a: 1 });
  assert.deepEqual(heard, [['something-new', { a: 1 }]]);
  const asked = client.request('something-else', { b: 2 });
  socket.ack('something-else', { c: 3 });
  assert.deepEqual(await asked, { c: 3 });
  client.leave();
});

test('who the client was told we are is whom we join as, unless said otherwise', async () => {
  const options = { storage: new FakeStorage(), WebSocketClass: FakeWebSocket, server: 'http://x/' };
  for (const [who, wish, expected] of [
    [{ userId: 'ana', name: 'Ana' }, {}, ['ana', 'Ana']],
    [{ userId: 'ana', name: 'Ana' }, { userId: 'bia', name: 'Bia' }, ['bia', 'Bia']],
    [{ userId: 'ana', name: 'Ana', token: 'a.b.c' }, {}, [undefined, undefined]],
  ]) {
    const client = new RodaClient({ ...options, ...who });
    clients.push(client);
    const connected = client.connect();
    FakeWebSocket.last.open();
    await connected;
    client.join({ roomId: 'r', ...wish }).catch(() => {}); // it is not answered
    const { userId, name } = FakeWebSocket.last.find('join-room').data;
    assert.deepEqual([userId, name], expected);
  }
});

test('the types name everything a page may use', () => {
  const types = readFileSync(new URL('../../web/client.d.ts', import.meta.url), 'utf8');
  const client = new RodaClient({ server: 'http://x/', WebSocketClass: FakeWebSocket });
  const internal = new Set(['constructor', 'receive', 'lost', 'settle', 'reset', 'changed', 'tapped']);
  for (const one of [client, client.calls, client.recorder]) {
    const names = [...Object.keys(one), ...Object.getOwnPropertyNames(Object.getPrototypeOf(one))];
    for (const name of names) if (!internal.has(name)) assert.match(types, new RegExp(`\\b${name}\\b[(:]`), name);
  }
});

test('leaving says so and closes', async () => {
  const { client, socket, of } = await join();
  client.leave();
  assert.ok(socket.find('leave-room'));
  assert.equal(socket.closedWith, 1000);
  assert.deepEqual(of('ended'), [{ reason: 'left', by: null }]);
});
