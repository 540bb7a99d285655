// Which tracks do we send, and which of them were opened here?
// SPDX-License-Identifier: MIT

const OPENERS = {
  microphone: () => navigator.mediaDevices.getUserMedia({ audio: true }),
  camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
  screen: () => navigator.mediaDevices.getDisplayMedia({ video: true }),
};

// A track of the default device, or of the screen the person picks.
async function open(source) {
  if (!OPENERS[source]) throw new TypeError(`publish('${source}') needs a track`);
  const [track] = (await OPENERS[source]()).getTracks();
  return track;
}

/** What is published, by source: {track, stream, isOurs}. What was opened here is stopped here. */
export class Outbox {
  #entries = new Map();

  get(source) {
    return this.#entries.get(source) ?? null;
  }

  [Symbol.iterator]() {
    return this.#entries[Symbol.iterator]();
  }

  isOn(source) {
    return this.get(source)?.track.enabled === true;
  }

  /** In the place of what was there. Without a track one is opened; `onEnded` tells when that ends by itself. */
  async put(source, given, stream, onEnded) {
    const track = given ?? (await open(source));
    this.drop(source);
    if (!given) track.onended = onEnded; // unplugged, or "stop sharing"
    const entry = { track, stream: stream ?? new MediaStream([track]), isOurs: !given };
    this.#entries.set(source, entry);
    return entry;
  }

  /** False: there was none. */
  drop(source) {
    const entry = this.get(source);
    if (entry?.isOurs) {
      entry.track.onended = null;
      entry.track.stop();
    }
    return this.#entries.delete(source);
  }

  /** Stops what was opened here. */
  stop() {
    for (const [source, { isOurs }] of this.#entries) if (isOurs) this.drop(source);
  }
}
