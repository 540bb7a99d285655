// What is heard while it rings? (made here: no file is loaded)
// SPDX-License-Identifier: MIT

// [start, length in seconds, frequency in Hz] of each note; the whole begins again after `every` seconds.
const TONES = {
  incoming: {
    every: 3.2,
    volume: 0.22,
    notes: [
      [0, 0.5, 587],
      [0.18, 0.5, 740],
      [0.36, 0.9, 880],
      [1.1, 0.5, 740],
      [1.28, 0.9, 880],
    ],
  },
  outgoing: { every: 5, volume: 0.06, notes: [[0, 1, 425]] },
};
const ATTACK_S = 0.02;

let shared = null;

// One for the page: browsers allow few. It is silent until the person has touched the page once.
function context() {
  shared ??= new AudioContext();
  if (shared.state === 'suspended') shared.resume().catch(() => {});
  return shared;
}

/** To be called from any tap, so that a call that comes later is heard. */
export function allowSound() {
  if (globalThis.AudioContext) context();
}

function play(audio, { notes, volume }) {
  const out = audio.createGain();
  out.connect(audio.destination);
  for (const [start, length, frequency] of notes) {
    const from = audio.currentTime + start;
    const tone = audio.createOscillator();
    const envelope = audio.createGain();
    tone.frequency.value = frequency;
    tone.type = 'sine';
    envelope.gain.setValueAtTime(0, from);
    envelope.gain.linearRampToValueAtTime(volume, from + ATTACK_S);
    envelope.gain.exponentialRampToValueAtTime(0.0001, from + length);
    tone.connect(envelope).connect(out);
    tone.start(from);
    tone.stop(from + length);
  }
  return out;
}

/** Rings as `incoming` or `outgoing` until the function it returns is called. */
export function ring(kind) {
  if (!globalThis.AudioContext) return () => {};
  const audio = context();
  const tone = TONES[kind];
  let out = play(audio, tone);
  const timer = setInterval(() => (out = play(audio, tone)), tone.every * 1000);
  const wake = () => context();
  document.addEventListener('pointerdown', wake);
  if (kind === 'incoming' && navigator.userActivation?.hasBeenActive) navigator.vibrate?.([400, 200, 400]);
  return () => {
    clearInterval(timer);
    out.disconnect();
    document.removeEventListener('pointerdown', wake);
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(0);
  };
}
