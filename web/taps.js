// How does everybody know that a live copy of the room is being sent elsewhere?
// SPDX-License-Identifier: MIT
import { h } from './dom.js';

/** The key of what the mark says; null: no copy is sent, no mark. One that waits for its sound counts. */
export function tapsKey(taps) {
  return taps.length > 0 ? 'tapsOn' : null;
}

/** The mark, a line under the bar: there as long as there is a copy, for whoever comes later too. */
export class Taps {
  #client;
  #notes;
  #shown = null;

  constructor({ client, notes }) {
    this.#client = client;
    this.#notes = notes;
    this.mark = h('p', { class: 'copied', role: 'status', 'aria-live': 'assertive' });
  }

  /** To be called whenever the client's `recorder.taps` may have changed. */
  show() {
    const key = tapsKey(this.#client.recorder.taps);
    if (key === this.#shown) return;
    this.#shown = key;
    this.mark.replaceChildren(...(key ? [h('span', { class: 'words', t: key })] : []));
    if (!key) this.#notes.show('tapsOff');
  }
}
