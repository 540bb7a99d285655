// Does /ws keep RFC 6455, section by section, as a strict client sees it?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';
import { Raw, closePayload, frame, startServer } from './server.mjs';

const FIN = 0x80;
const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const [NORMAL, PROTOCOL_ERROR, BAD_DATA, TOO_BIG] = [1000, 1002, 1007, 1009];
const MESSAGE_MAX = 65536;

let server;
before(async () => (server = await startServer()));
after(async () => assert.equal(await server.stop(), 0)); // no leak, no error of the sanitizers

const heartbeat = (id, extra = {}) => JSON.stringify({ event: 'heartbeat', id, ...extra });

/** Opens a connection, does something with it, and leaves no socket behind. */
async function withRaw(act, changes, line) {
  const raw = await Raw.open(server.port, changes, line);
  try {
    await act(raw);
  } finally {
    raw.destroy();
  }
}

/** The server must still be there for everybody else. */
async function isAlive(raw, id = 'alive') {
  await raw.send(frame(FIN | TEXT, heartbeat(id)));
  assert.equal((await raw.reply(id))?.event, 'ack');
}

/** The peer is told with that code that it was wrong, and nothing it says afterwards counts. */
async function refuses(bytes, code, what) {
  await withRaw(async (raw) => {
    for (const one of [bytes].flat()) await raw.send(one);
    await raw.until('a Close, or the end of the connection', () => raw.close || raw.ended);
    assert.equal(raw.close?.code, code, `${what}: closed with ${raw.close?.code}, not ${code}`);
    assert.deepEqual(raw.messages.filter((text) => JSON.parse(text).event === 'ack' && JSON.parse(text).id === 'wrong'), []);
  });
  await withRaw((raw) => isAlive(raw));
}

/** Length fields nobody may send: libwebsockets hangs up without a word (section 7.1.7 allows it). */
const hangsUp = (bytes, what) => refuses(bytes, undefined, what);

// ---- section 4: the opening handshake

test('4.2.2: the accept value, no protocol, no extension', () =>
  withRaw((raw) => {
    assert.equal(raw.status, 101);
    assert.equal(raw.header('sec-websocket-accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    assert.match(raw.header('upgrade'), /^websocket$/i);
    assert.match(raw.header('connection'), /^upgrade$/i);
    assert.equal(raw.header('sec-websocket-extensions'), undefined);
    assert.equal(raw.header('sec-websocket-protocol'), undefined);
  }));

test('4.2.1: header names and values in any case, tokens in lists', async () => {
  await withRaw((raw) => assert.equal(raw.status, 101), { Upgrade: 'WebSocket', Connection: 'keep-alive, Upgrade' });
  await withRaw((raw) => assert.equal(raw.status, 101), { Connection: 'upgrade' });
});

for (const [what, changes, status, line] of [
  ['another version', { 'Sec-WebSocket-Version': '8' }, 426],
  ['a version that is none', { 'Sec-WebSocket-Version': 'thirteen' }, 426],
  ['no version', { 'Sec-WebSocket-Version': null }, 426],
  ['no key', { 'Sec-WebSocket-Key': null }, 400],
  ['a short key', { 'Sec-WebSocket-Key': 'c2hvcnQ=' }, 400],
  ['a key that is not base64', { 'Sec-WebSocket-Key': '!!!!!!!!!!!!!!!!!!!!!!==' }, 400],
  ['no Upgrade', { Upgrade: null }, 400],
  ['HTTP/2', { Upgrade: 'h2c', 'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA' }, 400],
  ['subprotocols nobody speaks', { 'Sec-WebSocket-Protocol': 'chat, superchat' }, 400],
  ['no Connection', { Connection: null }, 400],
  ['a Connection without upgrade', { Connection: 'keep-alive' }, 400],
  ['POST', {}, 405, 'POST /ws HTTP/1.1'],
  ['PUT', {}, 405, 'PUT /ws HTTP/1.1'],
  ['POST without an upgrade', { Upgrade: null, 'Content-Length': '0' }, 405, 'POST /ws HTTP/1.1'],
  ['another HTTP', {}, 400, 'GET /ws HTTP/1.0'],
  ['no Host', { Host: null }, 400],
  ['another path', {}, 404, 'GET /elsewhere HTTP/1.1'],
  ['a foreign page', { Origin: 'https://evil.example' }, 403],
])
  test(`4.4: refused with ${status}: ${what}`, () =>
    withRaw(
      async (raw) => {
        assert.equal(raw.status, status);
        if (status === 426) assert.equal(raw.header('sec-websocket-version'), '13');
        if (status === 426) assert.match(raw.header('upgrade'), /^websocket$/i);
        if (status === 405) assert.equal(raw.header('allow'), 'GET');
        assert.equal(raw.header('x-content-type-options'), 'nosniff');
      },
      changes,
      line,
    ));

test('4.2.2: of several subprotocols the one that is spoken is chosen', () =>
  withRaw(
    async (raw) => {
      assert.equal(raw.status, 101);
      assert.equal(raw.header('sec-websocket-protocol'), 'roda');
      await isAlive(raw);
    },
    { 'Sec-WebSocket-Protocol': 'chat, roda' },
  ));

// RFC 9110 section 7.8 lets a server pass over an Upgrade it does not know; libwebsockets refuses it.
test('4.4: an Upgrade to something unheard of is refused, and the connection is over', () =>
  withRaw(
    async (raw) => {
      assert.equal(raw.status, 403);
      await raw.until('the end of the connection', () => raw.ended);
      await withRaw((other) => isAlive(other));
    },
    { Upgrade: 'foo' },
  ));

for (const offer of [
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits; server_no_context_takeover',
  'permessage-deflate; server_max_window_bits=99, permessage-deflate',
  'x-webkit-deflate-frame',
  'permessage-bzip2; blocks="1, 2"',
])
  test(`9.1: an extension may be offered and is not taken: ${offer}`, () =>
    withRaw(
      async (raw) => {
        assert.equal(raw.status, 101);
        assert.equal(raw.header('sec-websocket-extensions'), undefined);
        await isAlive(raw);
      },
      { 'Sec-WebSocket-Extensions': offer },
    ));

// ---- section 5: frames

// Here the server is laxer than the section asks (it MUST close): libwebsockets does not say whether a frame was masked.
test('5.1: frames that are not masked are read all the same, and harm nobody', () =>
  withRaw(async (raw) => {
    await raw.send(frame(FIN | TEXT, heartbeat(1), { masked: false }));
    assert.equal((await raw.reply(1))?.event, 'ack');
    await raw.send(frame(FIN | PING, 'bare', { masked: false }));
    await raw.until('the pong', () => raw.pongs.includes('bare'));
    await isAlive(raw);
  }));

test('5.1: the server masks nothing', () =>
  withRaw(async (raw) => {
    await isAlive(raw); // the strict receiver takes a masked frame for an error
    assert.equal(raw.broken, undefined);
  }));

for (const bit of [0x40, 0x20, 0x10, 0x70])
  test(`5.2: reserved bits 0x${bit.toString(16)}`, async () => {
    await refuses(frame(FIN | bit | TEXT, heartbeat('wrong')), PROTOCOL_ERROR, 'text');
    await refuses(frame(FIN | bit | PING, 'x'), PROTOCOL_ERROR, 'ping');
  });

for (const opcode of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
  test(`5.2: reserved opcode ${opcode}`, () => refuses(frame(FIN | opcode, 'x'), PROTOCOL_ERROR, `opcode ${opcode}`));

test('5.2: lengths at the edges of their forms', () =>
  withRaw(async (raw) => {
    for (const [i, size] of [60, 125, 126, 127, 128, 65535, MESSAGE_MAX].entries()) {
      const text = heartbeat(i).padEnd(size, ' ');
      await raw.send(frame(FIN | TEXT, text));
      assert.equal((await raw.reply(i))?.event, 'ack', `${size} bytes`);
    }
  }));

test('5.2: the most significant bit of a long length', () =>
  hangsUp(Buffer.concat([Buffer.from([0x81, 0xff, 0x80]), Buffer.alloc(7), Buffer.alloc(4)]), 'length'));

test('5.4: fragments, each in its own packet', () =>
  withRaw(async (raw) => {
    const text = heartbeat(1);
    for (let i = 0; i < text.length; i++) {
      const first = (i === text.length - 1 ? FIN : 0) | (i === 0 ? TEXT : CONTINUATION);
      await raw.send(frame(first, text[i]));
    }
    assert.equal((await raw.reply(1))?.event, 'ack');
  }));

test('5.4: empty fragments', () =>
  withRaw(async (raw) => {
    await raw.send(frame(TEXT, ''));
    await raw.send(frame(CONTINUATION, heartbeat(1)));
    await raw.send(frame(CONTINUATION, ''));
    await raw.send(frame(FIN | CONTINUATION, ''));
    assert.equal((await raw.reply(1))?.event, 'ack');
  }));

test('5.4: everything in one packet', () =>
  withRaw(async (raw) => {
    const text = heartbeat(1);
    await raw.send(
      Buffer.concat([
        frame(TEXT, text.slice(0, 5)),
        frame(FIN | PING, 'in between'),
        frame(CONTINUATION, text.slice(5, 9)),
        frame(FIN | PONG, 'unasked'),
        frame(FIN | CONTINUATION, text.slice(9)),
        frame(FIN | TEXT, heartbeat(2)),
      ]),
    );
    assert.equal((await raw.reply(1))?.event, 'ack');
    assert.equal((await raw.reply(2))?.event, 'ack');
    await raw.until('the pong', () => raw.pongs.length === 1);
    assert.deepEqual(raw.pongs, ['in between']);
  }));

test('5.4: a frame cut at every byte', () =>
  withRaw(async (raw) => {
    for (const byte of frame(FIN | TEXT, heartbeat(1), { len16: false })) await raw.send(Buffer.from([byte]));
    assert.equal((await raw.reply(1))?.event, 'ack');
  }));

test('5.4: a continuation of nothing', () => refuses(frame(FIN | CONTINUATION, 'x'), PROTOCOL_ERROR, 'continuation'));
test('5.4: a continuation of nothing, not final', () => refuses(frame(CONTINUATION, 'x'), PROTOCOL_ERROR, 'continuation'));
test('5.4: a continuation after the end', () =>
  refuses([frame(FIN | TEXT, heartbeat(1)), frame(FIN | CONTINUATION, 'x')], PROTOCOL_ERROR, 'continuation'));
test('5.4: a message inside a message', () =>
  refuses([frame(TEXT, '{'), frame(FIN | TEXT, heartbeat('wrong'))], PROTOCOL_ERROR, 'text in text'));
test('5.4: a binary message inside a message', () =>
  refuses([frame(TEXT, '{'), frame(FIN | BINARY, 'x')], PROTOCOL_ERROR, 'binary in text'));

// ---- section 5.5: control frames

for (const payload of ['', 'x', 'hello', Buffer.from([0, 255, 254, 253, 127, 0]).toString('latin1'), 'y'.repeat(125)])
  test(`5.5.2: a ping of ${payload.length} bytes comes back as it was`, () =>
    withRaw(async (raw) => {
      await raw.send(frame(FIN | PING, Buffer.from(payload, 'latin1')));
      await raw.until('the pong', () => raw.pongs.length === 1 || raw.ended);
      assert.deepEqual(raw.pongs, [payload]);
      await isAlive(raw);
    }));

// Of pings that come in one packet libwebsockets answers the first; the section would rather have the latest.
test('5.5.2: many pings at once: each pong is of one of them, in order, and the next ping is answered', () =>
  withRaw(async (raw) => {
    const all = Array.from({ length: 20 }, (_, i) => `ping ${i}`);
    await raw.send(Buffer.concat(all.map((text) => frame(FIN | PING, text))));
    await raw.until('a pong', () => raw.pongs.length > 0 || raw.ended);
    await raw.send(frame(FIN | PING, 'and now'));
    await raw.until('the pong', () => raw.pongs.includes('and now') || raw.ended);
    assert.deepEqual(raw.pongs.slice(0, -1), all.filter((text) => raw.pongs.includes(text)));
    assert.equal(raw.pongs.at(-1), 'and now');
    await isAlive(raw);
  }));

test('5.5.3: pongs nobody asked for', () =>
  withRaw(async (raw) => {
    await raw.send(Buffer.concat([frame(FIN | PONG, ''), frame(FIN | PONG, 'x'), frame(FIN | PONG, 'y'.repeat(125))]));
    await isAlive(raw);
  }));

for (const [opcode, name] of [[PING, 'ping'], [PONG, 'pong'], [CLOSE, 'close']]) {
  test(`5.5: a ${name} of 126 bytes`, () => hangsUp(frame(FIN | opcode, Buffer.alloc(126, 'x')), name));
  test(`5.5: a ${name} in fragments`, () => refuses(frame(opcode, closePayload(NORMAL)), PROTOCOL_ERROR, name));
}

// ---- section 5.6 and 8.1: text and binary

test('5.6: a binary message is refused, the socket stays', () =>
  withRaw(async (raw) => {
    await raw.send(frame(FIN | BINARY, heartbeat(1)));
    await raw.until('an error', () => raw.messages.length > 0);
    assert.equal(JSON.parse(raw.messages[0]).data.code, 'bad-json');
    await isAlive(raw);
  }));

test('5.6: an empty message is refused, the socket stays', () =>
  withRaw(async (raw) => {
    await raw.send(frame(FIN | TEXT, ''));
    await raw.until('an error', () => raw.messages.length > 0);
    assert.equal(JSON.parse(raw.messages[0]).data.code, 'bad-json');
    await isAlive(raw);
  }));

for (const [what, ...bytes] of [
  ['a lone continuation byte', 0x80],
  ['an overlong slash', 0xc0, 0xaf],
  ['an overlong NUL', 0xe0, 0x80, 0x80],
  ['a surrogate', 0xed, 0xa0, 0x80],
  ['beyond U+10FFFF', 0xf4, 0x90, 0x80, 0x80],
  ['a cut character', 0xe2, 0x82],
  ['0xFF', 0xff],
  ['five bytes', 0xf8, 0x88, 0x80, 0x80, 0x80],
]) {
  const text = Buffer.concat([Buffer.from('{"event":"heartbeat","id":"'), Buffer.from(bytes), Buffer.from('"}')]);
  test(`8.1: not UTF-8: ${what}`, () => refuses(frame(FIN | TEXT, text), BAD_DATA, what));
  test(`8.1: not UTF-8 in fragments: ${what}`, () =>
    refuses([frame(TEXT, text.subarray(0, 28)), frame(FIN | CONTINUATION, text.subarray(28))], BAD_DATA, what));
}

test('8.1: a message that ends in the middle of a character', () =>
  refuses(frame(FIN | TEXT, Buffer.from([0x7b, 0xe2, 0x82])), BAD_DATA, 'cut at the end'));

test('8.1: characters cut by fragments', () =>
  withRaw(async (raw) => {
    const text = Buffer.from(heartbeat('ção 日本 🎉'));
    for (let i = 0; i < text.length; i++)
      await raw.send(frame((i === text.length - 1 ? FIN : 0) | (i === 0 ? TEXT : CONTINUATION), text.subarray(i, i + 1)));
    assert.equal((await raw.reply('ção 日本 🎉'))?.event, 'ack');
  }));

// ---- section 7: the closing handshake

for (const [what, code, reason] of [
  ['1000', 1000, ''],
  ['1000 with a reason', 1000, 'até logo'],
  ['1001', 1001, 'leaving'],
  ['1011', 1011, ''],
  ['3000', 3000, 'library'],
  ['4999', 4999, 'private'],
  ['1000 with 123 bytes', 1000, 'x'.repeat(123)],
])
  test(`7.1: a close is answered with the same code: ${what}`, () =>
    withRaw(async (raw) => {
      await raw.send(frame(FIN | CLOSE, closePayload(code, reason)));
      assert.equal((await raw.closed())?.code, code);
    }));

test('7.1.5: a close without a code', () =>
  withRaw(async (raw) => {
    await raw.send(frame(FIN | CLOSE, ''));
    const close = await raw.closed();
    assert.ok(close && [1005, NORMAL].includes(close.code), `closed with ${close?.code}`);
  }));

test('7.4: a close of one byte', () => refuses(frame(FIN | CLOSE, 'x'), PROTOCOL_ERROR, 'one byte'));

for (const code of [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
  test(`7.4: a close with ${code}, which nobody may send`, () =>
    refuses(frame(FIN | CLOSE, closePayload(code)), PROTOCOL_ERROR, `code ${code}`));

test('7.1.6: a close whose reason is not UTF-8', () =>
  refuses(frame(FIN | CLOSE, Buffer.concat([closePayload(NORMAL), Buffer.from([0xc0, 0xaf])])), BAD_DATA, 'reason'));

test('7.1: nothing after a close counts', () =>
  withRaw(async (raw) => {
    await raw.send(Buffer.concat([frame(FIN | CLOSE, closePayload(NORMAL)), frame(FIN | TEXT, heartbeat(1))]));
    await raw.closed();
    assert.deepEqual(raw.messages, []);
  }));

test('7.4.1: a message of more than 64 KiB', () =>
  refuses(frame(FIN | TEXT, Buffer.alloc(MESSAGE_MAX + 1, ' ')), TOO_BIG, 'one frame'));

test('7.4.1: fragments that are more than 64 KiB together', () => {
  const piece = Buffer.alloc(4096, ' ');
  return refuses(Array.from({ length: 18 }, (_, i) => frame(i ? CONTINUATION : TEXT, piece)), TOO_BIG, 'fragments');
});

test('7.4.1: a message said to be of a terabyte', () =>
  refuses([frame(FIN | TEXT, '', { says: 2 ** 40 }), Buffer.alloc(MESSAGE_MAX + 4096)], TOO_BIG, 'announced'));

test('7.2: a client that is gone without a word', async () => {
  await withRaw((raw) => raw.send(frame(TEXT, '{"event":')));
  await withRaw((raw) => isAlive(raw));
});

// ---- a strict client's whole life

test('ws: joins, talks, pings, and leaves', async () => {
  const socket = new WebSocket(`ws://localhost:${server.port}/ws`, { perMessageDeflate: true });
  await new Promise((done, failed) => socket.once('open', done).once('error', failed));
  assert.equal(socket.protocol, '');
  assert.equal(socket.extensions, '');
  const messages = [];
  socket.on('message', (data) => messages.push(JSON.parse(data)));
  socket.send(JSON.stringify({ event: 'join-room', id: 1, data: { roomId: 'conformance', userId: 'ana' } }));
  const text = JSON.stringify({ event: 'chat-message', id: 2, data: { text: 'olá, '.repeat(700) } });
  for (let i = 0; i < text.length; i += 100) socket.send(text.slice(i, i + 100), { fin: i + 100 >= text.length });
  const pong = new Promise((done) => socket.once('pong', (data) => done(data.toString())));
  socket.ping('still there?');
  assert.equal(await pong, 'still there?');
  while (!messages.some(({ id }) => id === 2)) await new Promise((done) => socket.once('message', done));
  const closed = new Promise((done) => socket.once('close', (code) => done(code)));
  socket.close(1000, 'bye');
  assert.equal(await closed, 1000);
  assert.deepEqual(messages.filter(({ id }) => id).map(({ event, id }) => [event, id]), [['ack', 1], ['ack', 2]]);
});
