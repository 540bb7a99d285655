// Which camera, microphone and loudspeaker does this person use, and why can one not be opened?
// SPDX-License-Identifier: MIT

const KEY = 'roda.devices';
const AUDIO = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
const VIDEO = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };
const SCREEN = { frameRate: { ideal: 15, max: 30 } };

export function canCapture() {
  return Boolean(globalThis.isSecureContext && navigator.mediaDevices?.getUserMedia);
}

export function canShareScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

export function canChooseSpeaker() {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** One word for what went wrong: `denied`, `missing`, `busy` or `failed`. */
export function errorKind({ name }) {
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'denied';
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'AbortError') return 'busy';
  return 'failed';
}

/** The devices of this person: remembers the choice, opens tracks. `video` (from the address) overrides the size. */
export class Devices {
  #chosen;
  #video;

  constructor({ video = null } = {}) {
    this.#video = video;
    this.#chosen = JSON.parse(localStorage.getItem(KEY) ?? '{}');
  }

  /** The id last chosen for `microphone`, `camera` or `speaker`; '' is the system's default. */
  chosen(source) {
    return this.#chosen[source] ?? '';
  }

  choose(source, deviceId) {
    this.#chosen[source] = deviceId;
    localStorage.setItem(KEY, JSON.stringify(this.#chosen));
  }

  /** {microphone: [{id, label}], camera: [...], speaker: [...]}; labels are empty before a permission. */
  async list() {
    const all = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
    const of = (kind) =>
      all
        .filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default')
        .map(({ deviceId, label }) => ({ id: deviceId, label }));
    return { microphone: of('audioinput'), camera: of('videoinput'), speaker: of('audiooutput') };
  }

  /** A live track of `microphone` or `camera`; rejects with what getUserMedia says. */
  async open(source) {
    const stream = await navigator.mediaDevices.getUserMedia(this.#constraints([source]));
    return stream.getTracks()[0];
  }

  /**
   * Both at once, so that the browser asks once; else whatever can be had.
   * {microphone, camera, errors: {microphone?, camera?}}: a track or null each, an Error for each null.
   */
  async openBoth() {
    const result = { microphone: null, camera: null, errors: {} };
    try {
      const stream = await navigator.mediaDevices.getUserMedia(this.#constraints(['microphone', 'camera']));
      [result.microphone] = stream.getAudioTracks();
      [result.camera] = stream.getVideoTracks();
      return result;
    } catch {
      for (const source of ['microphone', 'camera']) {
        result[source] = await this.open(source).catch((error) => {
          result.errors[source] = error;
          return null;
        });
      }
      return result;
    }
  }

  /** {screen, audio}: tracks of what the person picked; audio is null unless the browser gives some. */
  async openScreen() {
    const stream = await navigator.mediaDevices.getDisplayMedia({ video: SCREEN, audio: true });
    const [screen] = stream.getVideoTracks();
    screen.contentHint = 'detail';
    return { screen, audio: stream.getAudioTracks()[0] ?? null };
  }

  #constraints(sources) {
    const constraints = {};
    if (sources.includes('microphone')) constraints.audio = { ...AUDIO, ...this.#wanted('microphone') };
    if (sources.includes('camera')) constraints.video = { ...this.#size(), ...this.#wanted('camera') };
    return constraints;
  }

  // Only a wish: a remembered device that is not plugged in today must not keep anybody out.
  #wanted(source) {
    return this.chosen(source) ? { deviceId: { ideal: this.chosen(source) } } : {};
  }

  #size() {
    if (!this.#video) return VIDEO;
    const { width, height, frameRate } = this.#video;
    const size = { width: { ideal: width }, height: { ideal: height } };
    return frameRate ? { ...size, frameRate: { ideal: frameRate, max: frameRate } } : size;
  }
}

/**
 * Why `errors` of openBoth() happened: {kind, key, params} with a key of i18n, or null when nothing is wrong. Of two
 * different troubles the camera's is told: it is the one people see.
 */
export function explain({ microphone, camera }) {
  const error = camera ?? microphone;
  if (!error) return null;
  const kind = errorKind(error);
  if (kind === 'failed') return { kind, key: 'mediaFailed', params: { name: error.name } };
  const both = kind !== 'busy' && microphone && camera && errorKind(microphone) === kind;
  return { kind, key: `${kind}${both ? 'Both' : camera ? 'Camera' : 'Microphone'}` };
}
