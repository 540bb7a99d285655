// How does everybody know that the room is recorded, and how does its host begin and end it?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon } from './icons.js';
import { ask } from './notices.js';

const TROUBLE = { 'disk-full': 'recordingFull', 'disk-slow': 'recordingSlow', 'disk-failed': 'recordingBroken' };

/** The key of what the mark says; null: no recording, no mark. */
export function markKey({ recording, state }) {
  if (!recording) return null;
  return state === 'paused' ? 'recordingPaused' : 'recordingOn';
}

/** What must be said when one state follows another: {notice} to be agreed to, {note} that passes. */
export function whatToSay(before, now, { userId, mayRecord }) {
  const isNew = now.recording && now.recordingId !== before.recordingId;
  if (isNew && now.by !== userId) return { notice: now.by ? 'recordingNotice' : 'recordingNoticePolicy' };
  if (isNew) return { note: 'recordingBegan' };
  if (before.recording && !now.recording && now.state !== 'waiting') return { note: 'recordingOff' };
  if (mayRecord && now.reason && now.reason !== before.reason) return { note: TROUBLE[now.reason] ?? 'recordingSlow' };
  return {};
}

/** The mark and the button for the bar; asks before it begins, and tells whoever is recorded. */
export class Recording {
  #client;
  #notes;
  #actions;
  #shown = { recording: false };
  #isAsking = false;

  /** `actions` is {attempt(action), leave(), quiet()}: tries something, goes, turns everything off. */
  constructor({ client, notes, actions }) {
    this.#client = client;
    this.#notes = notes;
    this.#actions = actions;
    this.mark = h('span', { class: 'recording', role: 'status', 'aria-live': 'assertive' });
    this.button = h('button', { class: 'round quiet record', type: 'button', hidden: true }, icon('record'));
    this.button.addEventListener('click', () => this.#press());
  }

  /** To be called whenever the client's `recorder`, or who is host, may have changed. */
  show() {
    const { recorder, userId } = this.#client;
    const now = recorder.state;
    const mayRecord = recorder.isMine;
    const key = markKey(now);
    if (key && this.mark.dataset.t !== key) this.mark.replaceChildren(this.#words(key));
    if (!key) this.mark.replaceChildren();
    this.mark.classList.toggle('on', key !== null);
    this.mark.classList.toggle('paused', now.state === 'paused');
    this.button.hidden = !mayRecord;
    this.button.disabled = now.state === 'starting' || now.state === 'stopping';
    this.button.classList.toggle('active', now.recording);
    this.button.setAttribute('aria-pressed', String(now.recording));
    setLabel(this.button, now.recording ? 'recordStop' : 'recordStart');
    const before = this.#shown;
    this.#shown = now;
    this.#say(whatToSay(before, now, { userId, mayRecord }), now);
  }

  // The long words for those who have the room, the short ones for a phone; screen readers hear the long ones.
  #words(key) {
    const long = h('span', { class: 'long' });
    const short = h('span', { class: 'short', 'aria-hidden': 'true', t: 'recordingShort' });
    setText(long, key);
    return h('span', { class: 'words' }, long, short);
  }

  async #say({ notice, note }, { by }) {
    if (note) this.#notes.show(note);
    if (!notice || this.#isAsking) return;
    this.#isAsking = true;
    const name = this.#client.participants.get(by)?.name || by;
    const choices = [
      { value: 'leave', key: 'justLeave' },
      { value: 'quiet', key: 'recordingQuiet' },
      { value: 'stay', key: 'recordingAgree', kind: 'accent' },
    ];
    const answer = await ask({ titleKey: 'recordingOn', textKey: notice, params: { name }, choices });
    this.#isAsking = false;
    if (answer === 'leave') this.#actions.leave();
    if (answer === 'quiet') this.#actions.quiet();
  }

  async #press() {
    const { recorder } = this.#client;
    if (recorder.state.recording) return this.#actions.attempt(() => recorder.stop());
    const choices = [
      { value: '', key: 'cancel' },
      { value: 'record', key: 'recordYes', kind: 'accent' },
    ];
    const answer = await ask({ titleKey: 'recordTitle', textKey: 'recordText', choices });
    if (answer === 'record') await this.#actions.attempt(() => recorder.start());
  }
}
