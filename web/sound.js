// How are the others heard, and what if the browser waits for a tap first?
// SPDX-License-Identifier: MIT
import { h } from './dom.js';

/** One <audio> per received track. `onBlocked(isBlocked)` tells when a tap is needed and when no longer. */
export class Sound {
  #elements = new Map(); // track id -> <audio>
  #onBlocked;
  #sink;

  constructor({ onBlocked, sink = '' }) {
    this.#onBlocked = onBlocked;
    this.#sink = sink;
    this.element = h('div', { hidden: true });
  }

  add(track, stream) {
    if (this.#elements.has(track.id)) return;
    const audio = h('audio', { autoplay: true });
    audio.srcObject = stream;
    this.#elements.set(track.id, audio);
    this.element.append(audio);
    if (this.#sink) audio.setSinkId?.(this.#sink).catch(() => {}); // unplugged since: the default plays
    this.#play(audio);
  }

  remove(track) {
    const audio = this.#elements.get(track.id);
    if (!audio) return;
    audio.srcObject = null;
    audio.remove();
    this.#elements.delete(track.id);
  }

  setSink(deviceId) {
    this.#sink = deviceId;
    for (const audio of this.#elements.values()) audio.setSinkId?.(deviceId).catch(() => {});
  }

  /** To be called from a tap. */
  unblock() {
    this.#onBlocked(false);
    for (const audio of this.#elements.values()) this.#play(audio);
  }

  close() {
    for (const audio of this.#elements.values()) audio.srcObject = null;
    this.#elements.clear();
  }

  #play(audio) {
    audio.play().catch((error) => {
      if (error.name === 'NotAllowedError') this.#onBlocked(true);
    });
  }
}
