// Is our room recorded or copied, and may we begin and end a recording? (as the client knows it)
// SPDX-License-Identifier: MIT

const OFF = { recording: false, state: 'off' };

/** `client.recorder`. The client tells `recording-changed` whenever `state` is another one, `tap-changed` for `taps`. */
export class Recorder {
  /** {recording, by, state, reason, since, recordingId} */
  state = OFF;
  /** [{userId, source, active}]: of whom a live copy is sent, for transcription or broadcast. */
  taps = [];
  #right = 'none'; // none, host (who is it may), self
  #client;

  constructor(client) {
    this.#client = client;
  }

  /** What the server said when we came in, or nothing: we are out. */
  reset({ recording, recordRight, taps } = { recording: OFF, taps: [] }) {
    if (recording) this.state = recording;
    if (taps) this.taps = taps;
    this.#right = recordRight ?? 'none';
  }

  changed(state) {
    this.state = state;
    this.#client.dispatchEvent(new CustomEvent('recording-changed', { detail: state }));
  }

  tapped({ taps }) {
    this.taps = taps;
    this.#client.dispatchEvent(new CustomEvent('tap-changed', { detail: { taps } }));
  }

  /** May this one begin and end a recording here? */
  get isMine() {
    return this.#right === 'self' || (this.#right === 'host' && this.#client.isHost);
  }

  /** Everybody in the room is told at once. Resolves when the recording has begun, or has been written. */
  start() {
    return this.#client.request('recording-start', {});
  }
  stop() {
    return this.#client.request('recording-stop', {});
  }
}
