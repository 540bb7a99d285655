// How loud is the microphone right now?
// SPDX-License-Identifier: MIT

/** Draws the level of an audio track into a <meter> until stopped. Returns the function that stops it. */
export function showLevel(track, meter) {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 512;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let frame = 0;

  const wake = () => context.resume();
  document.addEventListener('pointerdown', wake, { once: true }); // before it, browsers keep a context suspended

  const draw = () => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const decibel = 10 * Math.log10(power + 1e-9); // -90 .. 0
    const loudness = Math.max(0, Math.min(1, (decibel + 60) / 50));
    meter.value = Math.max(loudness, meter.value * 0.88); // falls slowly, so that the eye can follow
    frame = requestAnimationFrame(draw);
  };
  draw();

  return () => {
    cancelAnimationFrame(frame);
    document.removeEventListener('pointerdown', wake);
    context.close();
  };
}
