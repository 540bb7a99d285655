// Is our room recorded, and may we begin and end that? (as the client knows it)
// SPDX-License-Identifier: MIT

const OFF = { recording: false, state: 'off' };

/** `client.recorder`. The client tells `recording-changed` whenever `state` is another one. */
export class Recorder {
  /** {recording, by, state, reason, since, recordingId} */
  state = OFF;
  #right = 'none'; // none, host (who is it may), self
  #client;

  constructor(client) {
    this.#client = client;
  }

  /** What the server said when we came in, or nothing: we are out. */
  reset({ recording, recordRight } = { recording: OFF }) {
    if (recording) this.state = recording;
    this.#right = recordRight ?? 'none';
  }

  changed(state) {
    this.state = state;
    this.#client.dispatchEvent(new CustomEvent('recording-changed', { detail: state }));
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
