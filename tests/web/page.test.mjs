// Are the page's pure parts right? (addresses, layout, words, initials, what went wrong with a device, quality)
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorKind, explain } from '../../web/devices.js';
import { chooseLanguage, setLanguage, t as text } from '../../web/i18n.js';
import en from '../../web/lang/en.js';
import ptBR from '../../web/lang/pt-BR.js';
import { arrange, gridRects, layerFor } from '../../web/layout.js';
import { isWeak, stalled } from '../../web/quality.js';
import { inviteUrl, isRoomId, newRoomId, parseRoute } from '../../web/route.js';
import { summarize } from '../../web/stats.js';
import { hue, initials } from '../../web/tile.js';
import './fakes.mjs';

test('both languages have the same keys with the same blanks', () => {
  assert.deepEqual(Object.keys(en).sort(), Object.keys(ptBR).sort());
  const blanks = (words) => [...words.matchAll(/\{\w+\}/g)].map(([blank]) => blank).sort();
  for (const key of Object.keys(en)) {
    assert.deepEqual(blanks(en[key]), blanks(ptBR[key]), key);
    assert.ok(en[key].trim() && ptBR[key].trim(), key);
  }
});

test('the language is the first one wanted that we speak', () => {
  assert.equal(chooseLanguage(['fr', 'pt-PT', 'en']), 'pt-BR');
  assert.equal(chooseLanguage(['en-GB', 'pt']), 'en');
  assert.equal(chooseLanguage(['ja']), 'en');
  assert.equal(chooseLanguage([]), 'en');
});

test('texts: blanks are filled, one is not many, an unknown key is an error', () => {
  setLanguage('en');
  assert.equal(text('joinedNote', { name: 'Ana' }), 'Ana entered');
  assert.equal(text('peopleCount', { count: 1 }), '1 person in the room');
  assert.equal(text('peopleCount', { count: 3 }), '3 people in the room');
  assert.throws(() => text('nothingOfThatName'));
});

test('room ids: readable, different, and never out of the alphabet', () => {
  const ids = new Set(Array.from({ length: 500 }, () => newRoomId()));
  assert.equal(ids.size, 500);
  for (const id of ids) assert.match(id, /^[abcdefghjkmnpqrstuvwxyz]{4}(-[abcdefghjkmnpqrstuvwxyz]{4}){2}$/);
  const highBytes = [255, 230, ...Array(12).fill(229)]; // the first two would make some letters likelier
  assert.equal(
    newRoomId((bytes) => bytes.fill(highBytes.shift())),
    'zzzz-zzzz-zzzz',
  );
});

test('addresses: role and room by path, token by hash or query', () => {
  const route = (url) => parseRoute(new URL(url, 'https://x'));
  assert.deepEqual(
    ['/medico/sala-1', '/paciente/sala-1', '/participant/sala-1', '/video/sala-1'].map((path) => route(path).role),
    ['host', 'participant', 'participant', 'participant'],
  );
  assert.equal(route('/medico/sala-1').roomId, 'sala-1');
  const fresh = route('/video');
  assert.ok(fresh.view === 'room' && fresh.role === 'host' && fresh.isNew && isRoomId(fresh.roomId));
  assert.equal(route('/').view, 'home');
  assert.equal(route('/teste-video').view, 'test');
  assert.equal(route('/medico/').view, 'home');
  assert.equal(route('/medico/%E0%A4%A').view, 'home');
  assert.equal(route('/medico/a%2Fb').view, 'home');
  assert.equal(route(`/medico/${'x'.repeat(200)}`).view, 'home');
  assert.equal(route('/paciente/a#token=abc').token, 'abc');
  assert.equal(route('/paciente/a?token=def').token, 'def');
  assert.deepEqual(route('/video/a?video=320x240@15').video, { width: 320, height: 240, frameRate: 15 });
  assert.equal(route('/video/a?video=huge').video, null);
  assert.equal(inviteUrl('a-b', 'https://x'), 'https://x/paciente/a-b');
});

test('layout: every number of people fits, without overlap, on phone and desktop', () => {
  for (const [width, height] of [
    [374, 680],
    [1264, 640],
    [844, 300],
    [300, 300],
  ]) {
    for (let cameras = 1; cameras <= 12; cameras++) {
      for (let screens = 0; screens <= 2; screens++) {
        const places = arrange({ cameras, screens, width, height });
        const all = [...places.screens, ...places.cameras];
        assert.equal(all.length, cameras + screens);
        for (const rect of all) {
          const inside = rect.x >= 0 && rect.y >= 0 && rect.x + rect.width <= width && rect.y + rect.height <= height;
          assert.ok(inside && rect.width > 0 && rect.height > 0, JSON.stringify({ width, height, cameras, rect }));
        }
        const isDuo = cameras === 2 && screens === 0; // our own tile sits on the other one
        if (!isDuo) assert.ok(!all.some((a, i) => all.some((b, j) => i < j && overlap(a, b))));
      }
    }
  }
});

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

test('layout: six people on a phone use most of it; a screen gets more than anybody', () => {
  const tiles = gridRects(6, { x: 0, y: 0, width: 374, height: 680 });
  const covered = tiles.reduce((sum, { width, height }) => sum + width * height, 0);
  assert.ok(covered > 0.9 * 374 * 680);
  const { screens, cameras } = arrange({ cameras: 4, screens: 1, width: 1264, height: 640 });
  assert.ok(screens[0].width * screens[0].height > 8 * cameras[0].width * cameras[0].height);
});

test('layers follow the size of the tile in real pixels', () => {
  assert.deepEqual(
    [120, 300, 700].map((height) => layerFor(height)),
    [0, 1, -1],
  );
  assert.equal(layerFor(180, 2), 1);
});

test('initials and colours', () => {
  assert.deepEqual(['Ana Maria Souza', 'Dra. Helena Prado', 'bia', '', '  ', '张伟'].map(initials), [
    'AS',
    'HP',
    'B',
    '?',
    '?',
    '张',
  ]);
  assert.equal(hue('u1'), hue('u1'));
  for (const id of ['', 'a', 'some-user-id', 'ção']) assert.ok(hue(id) >= 0 && hue(id) < 6);
});

test('why a device does not open, in words that exist', () => {
  const failure = (name) => Object.assign(new Error(name), { name });
  assert.equal(errorKind(failure('NotAllowedError')), 'denied');
  assert.equal(explain({}), null);
  const names = ['NotAllowedError', 'NotFoundError', 'NotReadableError', 'TypeError'];
  const ways = names.flatMap((name) => [
    { camera: failure(name) },
    { microphone: failure(name) },
    { camera: failure(name), microphone: failure(name) },
    { camera: failure(name), microphone: failure('NotFoundError') },
  ]);
  for (const errors of ways) assert.ok(explain(errors).key in en, explain(errors).key);
  assert.equal(
    explain({ camera: failure('NotAllowedError'), microphone: failure('NotAllowedError') }).key,
    'deniedBoth',
  );
});

test('quality: loss and a long way are weak, a quiet line is not', () => {
  const reading = (packets, lost, rttMs = 20) => ({ inbound: [{ packets, lost }], transport: { rttMs } });
  assert.equal(isWeak(reading(0, 0), reading(100, 3)), false);
  assert.equal(isWeak(reading(0, 0), reading(100, 12)), true);
  assert.equal(isWeak(reading(0, 0), reading(5, 5)), false);
  assert.equal(isWeak(reading(0, 0), reading(100, 0, 900)), true);
  assert.equal(isWeak(reading(0, 0), { inbound: [], transport: null }), false);
});

test('quality: a camera that brought something and brings nothing more is stalled', () => {
  const reading = (...counts) => ({
    inbound: counts.map((bytes, index) => ({ mid: String(index), userId: `u${index}`, source: 'camera', bytes })),
  });
  assert.deepEqual([...stalled(reading(10, 10, 0), reading(20, 10, 0))], ['u1']);
  assert.deepEqual([...stalled(reading(), reading(10))], []);
  const still = { inbound: [{ mid: '0', userId: 'u0', source: 'screen', bytes: 5 }] };
  assert.deepEqual([...stalled(still, still)], [], 'a screen on which nothing moves is no trouble');
});

test('stats: tracks get their owner, the transport its cipher', () => {
  const report = new Map([
    ['i', { type: 'inbound-rtp', mid: '3', kind: 'video', bytesReceived: 9, framesDecoded: 2, frameWidth: 640 }],
    ['o', { type: 'outbound-rtp', mid: '0', kind: 'video', rid: 'q', bytesSent: 7 }],
    ['t', { type: 'transport', srtpCipher: 'AEAD_AES_128_GCM', selectedCandidatePairId: 'p' }],
    ['p', { type: 'candidate-pair', currentRoundTripTime: 0.05, localCandidateId: 'l', remoteCandidateId: 'r' }],
    ['r', { type: 'remote-candidate', address: '1.2.3.4', port: 5 }],
  ]);
  const { inbound, outbound, transport } = summarize(report, [{ mid: '3', userId: 'ana', source: 'camera' }]);
  assert.deepEqual([inbound[0].userId, inbound[0].source, inbound[0].width], ['ana', 'camera', 640]);
  assert.equal(outbound[0].rid, 'q');
  assert.deepEqual(
    [transport.srtpCipher, transport.rttMs, transport.remoteAddress],
    ['AEAD_AES_128_GCM', 50, '1.2.3.4:5'],
  );
  assert.deepEqual(summarize(new Map()), { inbound: [], outbound: [], transport: null });
});
