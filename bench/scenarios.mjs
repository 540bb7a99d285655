// Which loads are measured, and what must come out?
// SPDX-License-Identifier: MIT
//
// `shape` is who is there (lib/room.mjs), `traffic` what they send (options of the swarm), `atMost` the greatest allowed
// ratio of Roda's cost per forwarded packet to that of the named peer measured in the same run.

const VIDEO = { fps: 30, frame: 11000, packet: 1100 }; // 300 packets/s of 1,100 bytes in bursts of 10

const CAMERA_AND_VOICE = {
  fps: 30, frame: 6250, packet: 1150, vary: 0.2, key: 4, // 1.5 Mbit/s
  audio: 50, 'audio-bytes': 100,
};

const fanOut = (listeners) => ({ publishers: 1, listeners });

export const scenarios = [
  {
    name: 'fan-out-50',
    title: '1 → 50, bursts of 10, GCM_128',
    shape: fanOut(50), traffic: VIDEO,
    atMost: { 'janus-loop': 1 / 8, janus: 1 / 14, floor: 1.6 },
  },
  {
    name: 'fan-out-200',
    title: '1 → 200 (60,000 packets/s), bursts of 10',
    shape: fanOut(200), traffic: VIDEO,
    atMost: { 'janus-loop': 1 / 7, 'janus-loop-libsrtp': 1 / 6, mediasoup: 1 / 6 }, lossless: true,
  },
  {
    name: 'bursts-of-1',
    title: '1 → 50, packets evenly spaced',
    shape: fanOut(50), traffic: { ...VIDEO, fps: 300, frame: 1100 },
    atMost: { 'janus-loop': 1 / 5 },
  },
  {
    name: 'bursts-of-3',
    title: '1 → 50, bursts of 3',
    shape: fanOut(50), traffic: { ...VIDEO, fps: 100, frame: 3300 },
    atMost: { 'janus-loop': 1 / 6 },
  },
  {
    name: 'cm-sha1-80',
    title: '1 → 50, bursts of 10, CM_SHA1_80',
    shape: fanOut(50), traffic: { ...VIDEO, profile: 'CM_SHA1_80' },
    atMost: { 'janus-loop': 1 / 14 },
  },
  {
    name: 'ten-rooms-of-4',
    title: '10 rooms × 4, 1.5 Mbit/s video + Opus each',
    shape: { rooms: 10, members: 4, audio: true, video: true }, traffic: CAMERA_AND_VOICE,
    atMost: { 'janus-loop': 1 / 5 },
  },
];

/** Cost against fan-out; the last against the second answers "1 → 400 against 1 → 50". */
export const fanOuts = { title: 'cost per forwarded packet against fan-out', listeners: [10, 50, 100, 200, 400], traffic: VIDEO, atMost: 1.2 };

/** Rooms added until it is too much. */
export const knee = {
  title: 'rooms of 4 on one core', traffic: CAMERA_AND_VOICE, members: 4,
  p99Us: 5000, loss: 0.001, half: { p50Us: 300, p99Us: 2000 },
};

/** Resident memory against listeners of one publisher. */
export const memory = {
  title: 'memory per connected subscriber', listeners: [50, 100, 200, 400],
  traffic: { fps: 10, frame: 1100, packet: 1100 }, atMostKib: 70,
};
