// Does the polite side get out of every collision, and does it look for a new path when the old one dies?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Peer } from '../../web/peer.js';
import { SignalError } from '../../web/signal.js';
import { FakeClock, FakeMediaStream, FakePeerConnection, fakeTrack, settle } from './fakes.mjs';

globalThis.MediaStream = FakeMediaStream;

/** A Peer whose wire is a list of {kind, data, ack(), refuse(code)}. */
async function start() {
  const wire = [];
  const send = (kind, data) =>
    new Promise((resolve, reject) => {
      wire.push({ kind, data, ack: resolve, refuse: (code) => reject(new SignalError(code)) });
    });
  const peer = new Peer({ send, PeerConnection: FakePeerConnection });
  const events = [];
  for (const type of ['negotiated', 'lost', 'trouble', 'channel', 'state']) {
    peer.addEventListener(type, ({ detail }) => events.push([type, detail]));
  }
  await settle();
  const kinds = () => wire.map(({ kind }) => kind);
  return { peer, pc: FakePeerConnection.last, wire, kinds, events };
}

async function connect() {
  const all = await start();
  all.wire[0].ack();
  all.peer.receive('answer', 'their answer');
  await settle();
  all.wire.length = 0;
  all.events.length = 0;
  all.pc.log.length = 0;
  return all;
}

test('somebody without any device offers all the same', async () => {
  const { wire, kinds } = await start();
  assert.deepEqual(kinds(), ['offer']);
  assert.deepEqual(wire[0].data, { sdp: { type: 'offer', sdp: 'our offer 1' }, sources: {} });
});

test('sources name every mid that is sent, and no other', async () => {
  const { peer, wire } = await connect();
  await peer.publish('microphone', fakeTrack('audio'));
  await peer.publish('screen', fakeTrack('video'));
  await settle();
  assert.deepEqual(wire.at(-1).data.sources, { 1: 'microphone', 2: 'screen' });
  wire.at(-1).ack();
  peer.receive('answer', 'x');
  await settle();
  await peer.unpublish('screen');
  assert.deepEqual(peer.sources(), { 1: 'microphone' });
  await peer.publish('screen', fakeTrack('video'));
  assert.deepEqual(peer.sources(), { 1: 'microphone', 2: 'screen' });
});

test('a large camera sends three layers, lowest first, a smaller one fewer, a screen one', async () => {
  const { peer, pc } = await connect();
  await peer.publish('camera', fakeTrack('video', { width: 1280, height: 720 }));
  await peer.publish('screen', fakeTrack('video', { width: 1920, height: 1080 }));
  const [camera, screen] = pc.transceivers.map(({ init }) => init.sendEncodings);
  assert.deepEqual(
    camera.map(({ rid }) => rid),
    ['q', 'h', 'f'],
  );
  assert.deepEqual(
    camera.map((layer) => layer.scaleResolutionDownBy),
    [4, 2, 1],
  );
  assert.ok(camera[0].maxBitrate < camera[1].maxBitrate && camera[1].maxBitrate < camera[2].maxBitrate);
  assert.equal(screen.length, 1);
  const rids = async (width, height) => {
    const one = await connect();
    await one.peer.publish('camera', fakeTrack('video', { width, height }));
    return one.pc.transceivers[0].init.sendEncodings.map(({ rid }) => rid);
  };
  assert.deepEqual(await rids(640, 360), ['h', 'f']);
  assert.deepEqual(await rids(360, 640), ['h', 'f']);
  assert.deepEqual(await rids(320, 240), [undefined]);
});

test('a camera that goes off and on again needs no negotiation', async () => {
  const { peer, pc, wire, kinds } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  wire.at(-1).ack();
  peer.receive('answer', 'x');
  await settle();
  const before = kinds().length;
  await peer.unpublish('camera', { keep: true });
  assert.equal(pc.transceivers[0].sender.track, null);
  const again = fakeTrack('video');
  await peer.publish('camera', again);
  await settle();
  assert.equal(pc.transceivers[0].sender.track, again);
  assert.equal(pc.transceivers.length, 1);
  assert.equal(kinds().length, before);
});

test('glare: the offer of the server wins, ours is made again afterwards', async () => {
  const { peer, pc, wire, kinds } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  assert.equal(pc.signalingState, 'have-local-offer');
  wire.at(-1).refuse('busy');
  peer.receive('offer', 'their offer');
  await settle();
  assert.deepEqual(pc.log, ['offer', 'implicit rollback', 'answer', 'offer']);
  assert.deepEqual(kinds(), ['offer', 'answer', 'offer']);
  peer.receive('answer', 'their answer');
  wire.at(-1).ack();
  await settle();
  assert.equal(pc.signalingState, 'stable');
});

test('glare at the very first offer: a new connection takes the offer of the server, then offers', async () => {
  const { peer, pc, wire, kinds } = await start();
  const camera = fakeTrack('video');
  await peer.publish('camera', camera);
  await peer.publish('screen', fakeTrack('video'));
  await peer.unpublish('screen');
  wire.at(-1).refuse('busy');
  peer.receive('offer', 'their offer');
  await settle();
  const second = FakePeerConnection.last;
  assert.notEqual(second, pc);
  assert.ok(pc.closed);
  assert.deepEqual(second.log, ['answer', 'offer']);
  assert.deepEqual(
    second.transceivers.map(({ sender }) => sender.track),
    [camera],
  );
  assert.deepEqual(kinds(), ['offer', 'answer', 'offer']);
  assert.equal(peer.connection, second);
});

test('glare: the refusal may come after the offer of the server; it must not undo what is new', async (t) => {
  const clock = new FakeClock(t);
  const { peer, pc, wire, events } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  const refused = wire.at(-1);
  peer.receive('offer', 'their offer');
  await settle();
  refused.refuse('busy');
  await settle();
  clock.tick(10_000);
  await settle();
  assert.equal(pc.log.filter((step) => step === 'rollback').length, 0);
  assert.equal(pc.signalingState, 'have-local-offer');
  assert.ok(!events.some(([type]) => type === 'trouble'));
});

test('glare: when the offer of the server never comes, ours is made again', async (t) => {
  const clock = new FakeClock(t);
  const { peer, pc, wire, kinds } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  wire.at(-1).refuse('busy');
  await settle();
  assert.deepEqual(kinds(), ['offer']);
  clock.tick(2000);
  await settle();
  assert.deepEqual(pc.log, ['offer', 'rollback', 'offer']);
  assert.deepEqual(kinds(), ['offer', 'offer']);
});

test('a description the server refuses is told and not repeated for ever', async (t) => {
  const clock = new FakeClock(t);
  const { peer, wire, events } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  for (let turn = 0; turn < 20; turn++) {
    await settle();
    wire.at(-1).refuse('bad-sdp');
    await settle();
    clock.tick(2000);
  }
  assert.equal(wire.filter(({ kind }) => kind === 'offer').length, 5);
  assert.equal(events.filter(([type]) => type === 'trouble').length, 5);
});

test('an answer to an offer that was rolled back is passed over', async () => {
  const { peer, pc, events } = await connect();
  peer.receive('answer', 'late');
  await settle();
  assert.equal(pc.signalingState, 'stable');
  assert.deepEqual(events, []);
});

test('an answer kept while the signaling was lost is not taken for the one to the new offer', async () => {
  const { peer, pc, wire } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  wire.at(-1).refuse('offline');
  peer.resync();
  peer.receive('answer', 'kept, to the offer that is gone');
  await settle();
  assert.deepEqual(pc.log, ['offer', 'rollback', 'offer']);
  assert.equal(pc.signalingState, 'have-local-offer');
  peer.receive('answer', 'to the new offer');
  wire.at(-1).ack();
  await settle();
  assert.equal(pc.remoteDescription.sdp, 'to the new offer');
  assert.equal(pc.signalingState, 'stable');
});

test('a refused offer has no answer, whatever came before', async () => {
  const { peer, pc, wire } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  peer.receive('answer', 'kept, to an offer that is gone');
  wire.at(-1).refuse('busy');
  await settle();
  assert.equal(pc.remoteDescription.sdp, 'their answer');
});

test('rubbish from the server is told, and the next description works', async () => {
  const { peer, kinds, events } = await connect();
  peer.receive('offer', 'rubbish');
  peer.receive('offer', 'their offer');
  await settle();
  assert.deepEqual(
    events.map(([type]) => type),
    ['trouble', 'negotiated'],
  );
  assert.deepEqual(kinds(), ['answer']);
});

test('candidates before the first description wait for it', async () => {
  const { peer, pc, wire } = await start();
  peer.receive('candidate', { candidate: 'candidate:1', sdpMLineIndex: 0 });
  await settle();
  assert.deepEqual(pc.candidates, []);
  wire.at(-1).ack();
  await settle();
  peer.receive('answer', 'their answer');
  peer.receive('candidate', { candidate: 'candidate:2', sdpMLineIndex: 0 });
  await settle();
  assert.deepEqual(
    pc.candidates.map(({ candidate }) => candidate),
    ['candidate:1', 'candidate:2'],
  );
});

test('after a drop of the signaling an open offer is rolled back and said again', async () => {
  const { peer, pc, wire, kinds } = await connect();
  await peer.publish('camera', fakeTrack('video'));
  await settle();
  wire.at(-1).refuse('offline');
  await settle();
  await peer.resync();
  await settle();
  assert.deepEqual(pc.log.slice(0, 3), ['offer', 'rollback', 'offer']);
  assert.equal(kinds().at(-1), 'offer');
});

test('ICE: disconnected has two seconds, failed none; five restarts, then it is lost', async (t) => {
  const clock = new FakeClock(t);
  const { pc, events } = await connect();
  pc.setIce('disconnected');
  clock.tick(1000);
  pc.setIce('connected');
  clock.tick(10_000);
  assert.equal(pc.restarts, 0);
  pc.setIce('disconnected');
  clock.tick(2000);
  assert.equal(pc.restarts, 1);
  pc.setIce('connected');
  pc.setIce('failed');
  assert.equal(pc.restarts, 2);
  clock.tick(6000 * 4);
  assert.equal(pc.restarts, 6);
  assert.ok(!events.some(([type]) => type === 'lost'));
  clock.tick(6000);
  assert.deepEqual(events.at(-1), ['lost', { reason: 'ice' }]);
});

test('a failed DTLS is lost at once', async () => {
  const { pc, events } = await connect();
  pc.setIce('connected');
  pc.setConnection('failed');
  assert.deepEqual(events.at(-1), ['lost', { reason: 'dtls' }]);
});

test('one channel per label, whoever opened it', async () => {
  const { peer, pc, events } = await connect();
  const theirs = Object.assign(new EventTarget(), { label: 'pointer', readyState: 'open' });
  pc.ondatachannel({ channel: theirs });
  assert.equal(peer.openChannel('pointer'), theirs);
  const ours = peer.openChannel('notes', { ordered: false });
  assert.equal(peer.openChannel('notes'), ours);
  assert.deepEqual(
    events.map(([type, { channel }]) => [type, channel.label]),
    [
      ['channel', 'pointer'],
      ['channel', 'notes'],
    ],
  );
  ours.readyState = 'closed';
  assert.notEqual(peer.openChannel('notes'), ours);
});

test('after close() nothing happens any more', async (t) => {
  const clock = new FakeClock(t);
  const { peer, pc, wire, events } = await connect();
  pc.setIce('disconnected');
  peer.close();
  clock.tick(60_000);
  peer.receive('offer', 'their offer');
  await settle();
  assert.equal(pc.restarts, 0);
  assert.deepEqual([wire.length, events.length], [0, 0]);
});
