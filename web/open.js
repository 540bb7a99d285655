// Which device does a source mean, for whoever has no opinion?
// SPDX-License-Identifier: MIT

const OPENERS = {
  microphone: () => navigator.mediaDevices.getUserMedia({ audio: true }),
  camera: () => navigator.mediaDevices.getUserMedia({ video: true }),
  screen: () => navigator.mediaDevices.getDisplayMedia({ video: true }),
};

/** A track of the default device, or of the screen the person picks. */
export async function openTrack(source) {
  if (!OPENERS[source]) throw new TypeError(`publish('${source}') needs a track`);
  const [track] = (await OPENERS[source]()).getTracks();
  return track;
}
