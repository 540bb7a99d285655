// What is heard when somebody knocks? (made here: no file is loaded)
// SPDX-License-Identifier: MIT

const NOTES = [
  [0, 0.25, 659],
  [0.16, 0.5, 523],
]; // start and length in seconds, Hz
const VOLUME = 0.15;

let shared = null;

/** Two short notes, unless the browser waits for a tap first. */
export function chime() {
  if (!globalThis.AudioContext) return;
  shared ??= new AudioContext();
  if (shared.state === 'suspended') shared.resume().catch(() => {});
  for (const [start, length, frequency] of NOTES) {
    const from = shared.currentTime + start;
    const tone = shared.createOscillator();
    const loudness = shared.createGain();
    tone.frequency.value = frequency;
    loudness.gain.setValueAtTime(VOLUME, from);
    loudness.gain.exponentialRampToValueAtTime(0.0001, from + length);
    tone.connect(loudness).connect(shared.destination);
    tone.start(from);
    tone.stop(from + length);
  }
}
