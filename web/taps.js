// How does everybody know that a live copy of the room is being sent elsewhere?
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';

/** The key of what the mark says; null: no copy is sent, no mark. One that waits for its sound counts. */
export function tapsKey(taps) {
  return taps.length > 0 ? 'tapsOn' : null;
}

/** The mark for the bar: there as long as there is a copy, for whoever comes later too. */
export class Taps {
  #client;
  #notes;

  constructor({ client, notes }) {
    this.#client = client;
    this.#notes = notes;
    this.mark = h('span', { class: 'recording taps', role: 'status', 'aria-live': 'assertive' });
  }

  /** To be called whenever the client's `recorder.taps` may have changed. */
  show() {
    const key = tapsKey(this.#client.recorder.taps);
    const wasOn = this.mark.classList.contains('on');
    if ((key !== null) === wasOn) return;
    this.mark.classList.toggle('on', key !== null);
    this.mark.replaceChildren(...(key ? [this.#words(key)] : []));
    this.#notes.show(key ?? 'tapsOff');
  }

  // The long words for those who have the room, the short ones for a phone; screen readers hear the long ones.
  #words(key) {
    const long = h('span', { class: 'long' });
    const short = h('span', { class: 'short', 'aria-hidden': 'true', t: 'tapsShort' });
    setText(long, key);
    return h('span', { class: 'words' }, long, short);
  }
}
