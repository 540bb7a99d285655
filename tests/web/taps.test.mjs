// Does whoever is copied see a mark as long as that lasts?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './fakes.mjs';
import { Recorder } from '../../web/recorder.js';
import { tapsKey } from '../../web/taps.js';
import en from '../../web/lang/en.js';
import ptBR from '../../web/lang/pt-BR.js';

const tap = { userId: 'ana', source: 'microphone', active: false };

test('the mark is there as long as there is a tap, also one that waits', () => {
  assert.equal(tapsKey([]), null);
  assert.equal(tapsKey([tap]), 'tapsOn');
  assert.equal(tapsKey([{ ...tap, active: true }, tap]), 'tapsOn');
});

test('it says so in both languages', () => {
  assert.match(en.tapsOn, /live copy of this consultation is being sent: transcription or broadcast/);
  assert.match(ptBR.tapsOn, /cópia ao vivo desta consulta está sendo enviada: transcrição ou transmissão/);
  assert.ok(en.tapsOff && ptBR.tapsOff && en.tapsOff !== ptBR.tapsOff);
});

test('the client knows from the ack, from the event, and forgets when it is out', () => {
  const client = new EventTarget();
  const told = [];
  client.addEventListener('tap-changed', ({ detail }) => told.push(detail.taps));
  const recorder = new Recorder(client);
  recorder.reset({ recording: { recording: false }, taps: [tap] });
  assert.deepEqual(recorder.taps, [tap]);
  recorder.tapped({ taps: [{ ...tap, active: true }] });
  assert.deepEqual(told, [[{ ...tap, active: true }]]);
  recorder.reset({}); // the ack of a call says nothing: the event before it did
  assert.equal(recorder.taps.length, 1);
  recorder.reset();
  assert.deepEqual(recorder.taps, []);
});
