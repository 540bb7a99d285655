// Is a room of as many people as may publish one in which everybody is seen, and may the next one not come in?
// SPDX-License-Identifier: MIT
//
// Most of them are connections of one page that send a tiny picture and a tone and never answer the server's offers, so
// that they cost little; one is a whole page, with every m-line a connection has room for.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { framesRising, heard, join, newRoom, noProblems, startChromium, startServer, waitFor } from './harness.mjs';

const PUBLISHERS_MAX = 28; // signaling/presence.h
const MESSAGE_MAX = 65536;

let server, browser;
before(async () => {
  server = await startServer({ MAX_PARTICIPANTS: '40' });
  browser = await startChromium();
});
after(async () => {
  await browser?.stop();
  await server?.stop();
});

/** One more connection in that page that only sends; resolves with null or the code of the refusal. */
function addSender(page, room, userId, role = 'participant') {
  return page.evaluate(
    async ([roomId, user, asRole]) => {
      const crowd = (globalThis.crowd ??= { sockets: [] });
      if (!crowd.stream) {
        const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
        const drawing = canvas.getContext('2d');
        let turn = 0;
        setInterval(() => {
          drawing.fillStyle = `hsl(${(turn += 40)} 80% 50%)`;
          drawing.fillRect(0, 0, 64, 48);
        }, 200);
        const audio = new AudioContext();
        const tone = audio.createOscillator();
        const out = audio.createMediaStreamDestination();
        tone.connect(out);
        tone.start();
        crowd.stream = new MediaStream([...canvas.captureStream(5).getTracks(), ...out.stream.getTracks()]);
      }
      const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/ws`);
      crowd.sockets.push(socket);
      await new Promise((resolve) => (socket.onopen = resolve));
      const waiting = new Map();
      let id = 0;
      const ask = (event, data) =>
        new Promise((resolve) => {
          waiting.set(++id, resolve);
          socket.send(JSON.stringify({ event, id, data }));
        });
      const connection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
      let answered;
      const answer = new Promise((resolve) => (answered = resolve));
      socket.onmessage = ({ data: text }) => {
        const { event, id: of, data } = JSON.parse(text);
        if (event === 'ack' || event === 'error') waiting.get(of)?.(event === 'error' ? data.code : null);
        if (event === 'signal-answer') answered(data.sdp);
        if (event === 'ice-candidate' && data.candidate.candidate) {
          answer.then(() => connection.addIceCandidate(data.candidate).catch(() => {}));
        }
      };
      const refusal = await ask('join-room', { roomId, userId: user, name: user, role: asRole });
      if (refusal || asRole === 'observer') return refusal;
      for (const track of crowd.stream.getTracks()) connection.addTransceiver(track, { direction: 'sendonly' });
      connection.onicecandidate = ({ candidate }) => ask('ice-candidate', { candidate });
      await connection.setLocalDescription();
      ask('signal-offer', { sdp: connection.localDescription });
      await connection.setRemoteDescription(await answer);
      await new Promise((resolve, reject) => {
        connection.onconnectionstatechange = () => {
          if (connection.connectionState === 'connected') resolve();
          if (connection.connectionState === 'failed') reject(new Error('no media'));
        };
      });
      return null;
    },
    [room, userId, role],
  );
}

test('as many as may publish are all seen; a restart and a shared screen still fit', async () => {
  const room = newRoom();
  const ana = { page: await browser.newPage(), name: 'Ana' };
  await ana.page.addInitScript(() => {
    globalThis.largest = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (text) {
      globalThis.largest = Math.max(globalThis.largest, new TextEncoder().encode(text).length);
      return send.call(this, text);
    };
  });
  ana.id = await join(ana.page, { url: server.url, room, role: 'host', name: 'Ana' });
  const crowd = await browser.newPage();
  await crowd.goto(server.url);
  for (let i = 1; i < PUBLISHERS_MAX; i++) assert.equal(await addSender(crowd, room, `p${i}`), null);
  assert.equal(await addSender(crowd, room, 'late'), 'room-full');
  assert.equal(await addSender(crowd, room, 'watcher', 'observer'), null);

  const tracks = () => ana.page.evaluate(() => [...roda.client.participants.values()].map(({ tracks }) => tracks.size));
  await waitFor('all their tracks', async () => {
    const sizes = await tracks();
    return sizes.length === PUBLISHERS_MAX && sizes.filter((size) => size === 2).length === PUBLISHERS_MAX - 1;
  });
  for (const user of ['p1', `p${PUBLISHERS_MAX - 1}`]) {
    await framesRising(ana.page, user, { count: 2 });
    await heard(ana.page, user);
  }
  await ana.page.evaluate(async () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d');
    await roda.client.publish('screen', canvas.captureStream(5).getVideoTracks()[0]);
    roda.client.restartIce();
  });
  await waitFor('the screen to be agreed on', () =>
    ana.page.evaluate(() => {
      const { connection } = roda.client;
      const sending = connection.getTransceivers().filter(({ currentDirection }) => /^send/.test(currentDirection));
      return connection.signalingState === 'stable' && sending.length === 3;
    }),
  );
  await framesRising(ana.page, 'p2', { count: 2 });
  const largest = await ana.page.evaluate(() => globalThis.largest);
  assert.ok(largest < MESSAGE_MAX, `${largest} bytes`);
  noProblems([ana]);
});
