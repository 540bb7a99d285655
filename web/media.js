// What do we send ourselves, before the join (as a preview) and after it?
// SPDX-License-Identifier: MIT
import { emit } from './signal.js';

const KEY = 'roda.media';

/** What the person wanted on before this tab was reloaded: {microphone, camera}; both by default. */
export function rememberedMedia() {
  return { microphone: true, camera: true, ...JSON.parse(sessionStorage.getItem(KEY) ?? '{}') };
}

function remember(source, on) {
  sessionStorage.setItem(KEY, JSON.stringify({ ...rememberedMedia(), [source]: on }));
}

/**
 * Our own tracks. A microphone that is off stays open and silent; a camera that is off is closed, so that its lamp
 * goes out. Events: `change` (something is on or off now), `trouble` {error, source}.
 */
export class LocalMedia extends EventTarget {
  #devices;
  #client = null;
  #tracks = new Map(); // source -> MediaStreamTrack
  #chain = Promise.resolve();
  errors = {}; // source -> why it could not be opened the last time

  constructor(devices) {
    super();
    this.#devices = devices;
  }

  track(source) {
    return this.#tracks.get(source) ?? null;
  }

  isOn(source) {
    return this.#tracks.get(source)?.enabled === true;
  }

  /** Opens what is wanted; what cannot be had is in `errors`. */
  start({ microphone, camera }) {
    return this.#queue(async () => {
      if (microphone && camera) {
        const opened = await this.#devices.openBoth();
        this.errors = opened.errors;
        for (const source of ['microphone', 'camera']) if (opened[source]) this.#keep(source, opened[source]);
      } else {
        await this.#open('microphone'); // opened even when off: a mute button must work at once
        if (camera) await this.#open('camera');
        if (this.track('microphone')) this.track('microphone').enabled = microphone;
      }
    });
  }

  /** From now on everything is published through `client`. */
  attach(client) {
    if (this.#client !== client) {
      client.addEventListener('muted-by-host', ({ detail }) => this.#obey(detail.source));
    }
    this.#client = client;
    return this.#queue(() => Promise.all([...this.#tracks].map(([source, track]) => client.publish(source, track))));
  }

  toggle(source) {
    return this.set(source, !this.isOn(source));
  }

  set(source, on) {
    remember(source, on);
    return this.#queue(() => this.#set(source, on));
  }

  /** The chosen device changed: a live track is exchanged for one of the new device. */
  renew(source) {
    return this.#queue(async () => {
      const wasOn = this.isOn(source);
      if (!wasOn && source === 'camera') return;
      this.#drop(source);
      if (await this.#open(source)) this.track(source).enabled = wasOn;
      await this.#publish(source);
    });
  }

  async shareScreen() {
    const { screen, audio } = await this.#devices.openScreen();
    return this.#queue(async () => {
      this.#keep('screen', screen);
      await this.#publish('screen');
      if (audio) this.#keep('screen-audio', audio);
      if (audio) await this.#publish('screen-audio');
    });
  }

  stopScreen() {
    return this.#queue(async () => {
      for (const source of ['screen', 'screen-audio']) {
        this.#drop(source);
        await this.#client?.unpublish(source);
      }
    });
  }

  /** Closes everything. */
  stop() {
    return this.#queue(async () => {
      for (const source of [...this.#tracks.keys()]) {
        this.#drop(source);
        await this.#client?.unpublish(source);
      }
    });
  }

  // One thing after the other: two quick taps on a button must not open two cameras.
  #queue(step) {
    const done = this.#chain.then(step).finally(() => emit(this, 'change'));
    this.#chain = done.catch(() => {});
    return done;
  }

  async #set(source, on) {
    const track = this.track(source);
    if (on && !track) {
      if (await this.#open(source)) await this.#publish(source);
    } else if (track && source === 'camera' && !on) {
      this.#drop(source);
      await this.#client?.unpublish(source);
    } else if (track && this.#client) {
      await this.#client.setEnabled(source, on);
    } else if (track) {
      track.enabled = on;
    }
  }

  async #open(source) {
    try {
      this.#keep(source, await this.#devices.open(source));
      delete this.errors[source];
      return true;
    } catch (error) {
      this.errors[source] = error;
      emit(this, 'trouble', { error, source });
      return false;
    }
  }

  async #publish(source) {
    const track = this.track(source);
    if (track) await this.#client?.publish(source, track);
    else await this.#client?.unpublish(source);
  }

  #keep(source, track) {
    this.#tracks.set(source, track);
    track.onended = () => this.#lost(source, track);
  }

  #drop(source) {
    const track = this.#tracks.get(source);
    if (!track) return;
    track.onended = null;
    track.stop();
    this.#tracks.delete(source);
  }

  // Unplugged, or stopped with the browser's own "stop sharing" button.
  #lost(source, track) {
    if (this.track(source) !== track) return;
    if (source === 'screen' || source === 'screen-audio') return void this.stopScreen();
    this.#queue(async () => {
      this.#drop(source);
      await this.#client?.unpublish(source);
      emit(this, 'trouble', { error: new DOMException('unplugged', 'NotFoundError'), source });
    });
  }

  // The host muted us: the microphone stays open and silent, the camera is closed.
  #obey(source) {
    if (source === 'camera') this.set('camera', false);
    else emit(this, 'change');
  }
}
