// Is whoever is recorded told so, once, and in the right words?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './fakes.mjs';
import { markKey, whatToSay } from '../../web/recording.js';

const off = { recording: false, state: 'off' };
const on = { recording: true, state: 'on', by: 'ana', recordingId: '1', reason: null };
const ana = { userId: 'ana', mayRecord: true };
const bob = { userId: 'bob', mayRecord: false };

test('the mark is there from the command to the stop', () => {
  assert.equal(markKey(off), null);
  assert.equal(markKey({ ...on, state: 'starting' }), 'recordingOn');
  assert.equal(markKey(on), 'recordingOn');
  assert.equal(markKey({ ...on, state: 'paused' }), 'recordingPaused');
  assert.equal(markKey({ ...on, recording: false, state: 'stopping' }), null);
});

test('who is recorded agrees once; who records is only told', () => {
  const starting = { ...on, state: 'starting' };
  assert.deepEqual(whatToSay(off, starting, bob), { notice: 'recordingNotice' });
  assert.deepEqual(whatToSay(starting, on, bob), {});
  assert.deepEqual(whatToSay(off, starting, ana), { note: 'recordingBegan' });
  assert.deepEqual(whatToSay(off, { ...on, by: null }, ana), { notice: 'recordingNoticePolicy' });
  assert.deepEqual(whatToSay(on, { ...on, recordingId: '2' }, bob), { notice: 'recordingNotice' });
});

test('the end is told, trouble only to whoever may record', () => {
  const stopping = { ...on, recording: false, state: 'stopping' };
  assert.deepEqual(whatToSay(on, stopping, bob), { note: 'recordingOff' });
  assert.deepEqual(whatToSay(stopping, off, bob), {});
  assert.deepEqual(whatToSay(on, { ...on, recording: false, state: 'waiting' }, bob), {});
  const full = { ...on, state: 'paused', reason: 'disk-full' };
  assert.deepEqual(whatToSay(on, full, ana), { note: 'recordingFull' });
  assert.deepEqual(whatToSay(full, full, ana), {});
  assert.deepEqual(whatToSay(on, full, bob), {});
});
