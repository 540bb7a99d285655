// What is seen at which moment of a recorded session?
// SPDX-License-Identifier: MIT
//
// Pure: a manifest in, a list of scenes out. Times are seconds since the recording began.

const PAUSE_S = 1; // a picture that is missing for longer is not shown standing still
const SNAP_S = 0.3; // changes closer together are one
const SPEAKER_HOLD_S = 3; // whoever speaks for less does not get the large picture

const end = ({ start, duration }) => start + duration;

/** The parts of [from, to] that are in none of the gaps. */
export function without(from, to, gaps) {
  const parts = [];
  let at = from;
  for (const gap of [...gaps].sort((a, b) => a.start - b.start)) {
    if (gap.start > at) parts.push([at, Math.min(gap.start, to)]);
    at = Math.max(at, gap.start + gap.duration);
  }
  if (at < to) parts.push([at, to]);
  return parts.filter(([first, last]) => last > first);
}

/** A track's file with the times at which it has something to show. What was never written is left out. */
function pictures(tracks, sources) {
  return tracks
    .filter(({ kind, state, source, duration }) => kind === 'video' && state !== 'missing' && sources.includes(source) && duration > 0)
    .map((track) => {
      const gaps = track.gaps.filter(({ duration, reason }) => reason !== 'idle' && duration >= PAUSE_S);
      return { file: track.file, user: track.user, start: track.start, parts: without(track.start, end(track), gaps) };
    });
}

const showing = (list, at) => list.filter(({ parts }) => parts.some(([from, to]) => from <= at && at < to));

/** When the large picture becomes whose: [{at, user}], without those who speak but for a moment. */
export function speakers(timeline, duration) {
  const turns = timeline.filter(({ type, user }) => type === 'speaker' && user);
  const next = (i) => turns[i + 1]?.at ?? duration;
  return turns.filter(({ at }, i) => next(i) - at >= SPEAKER_HOLD_S).map(({ at, user }) => ({ at, user }));
}

function changes(duration, lists, moments) {
  const all = [0, duration, ...moments];
  for (const { parts } of lists.flat()) for (const part of parts) all.push(...part);
  const sorted = all.filter((at) => at >= 0 && at <= duration).sort((a, b) => a - b);
  const kept = [0];
  for (const at of sorted) if (at - kept.at(-1) >= SNAP_S) kept.push(at);
  if (duration - kept.at(-1) < SNAP_S && kept.length > 1) kept.pop();
  return [...kept, duration];
}

/**
 * [{from, to, screens, faces, speaker}]: what there is to see. A face is {user, name, picture}, where picture is
 * {file, start} or null (camera off, or never on).
 */
export function scenes({ duration, tracks, participants, timeline }, { view = 'grid' } = {}) {
  const cameras = pictures(tracks, ['camera']);
  const screens = pictures(tracks, ['screen']);
  const there = tracks
    .filter(({ source, state }) => (source === 'camera' || source === 'microphone') && state !== 'missing')
    .map((track) => ({ user: track.user, parts: [[track.start, end(track)]] }));
  const turns = view === 'speaker' ? speakers(timeline, duration) : [];
  const names = new Map(participants.map(({ user, name }) => [user, name ?? user]));
  const points = changes(duration, [cameras, screens, there], turns.map(({ at }) => at));
  return points.slice(0, -1).map((from, i) => {
    const middle = (from + points[i + 1]) / 2;
    const users = [...new Set(showing(there, middle).map(({ user }) => user))].sort();
    const shown = showing(cameras, middle);
    return {
      from,
      to: points[i + 1],
      screens: showing(screens, middle).map((one) => ({ ...one, name: names.get(one.user) ?? one.user })),
      faces: users.map((user) => ({
        user,
        name: names.get(user) ?? user,
        picture: shown.find((one) => one.user === user) ?? null,
      })),
      speaker: turns.filter(({ at }) => at <= middle).at(-1)?.user ?? null,
    };
  });
}

// ---- where it is seen

const even = (pixels) => Math.floor(pixels / 2) * 2;

/** `count` equal places of 16:9 in a box, as large as they can be: [{x, y, width, height}]. */
export function grid(count, box) {
  let best = null;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const width = even(Math.min(box.width / columns, ((box.height / rows) * 16) / 9));
    if (!best || width >= best.width) best = { columns, rows, width, height: even((width * 9) / 16) };
  }
  if (!best) return [];
  const { columns, rows, width, height } = best;
  return Array.from({ length: count }, (_, i) => {
    const row = Math.floor(i / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    return {
      x: even(box.x + (box.width - inRow * width) / 2 + (i % columns) * width),
      y: even(box.y + (box.height - rows * height) / 2 + row * height),
      width,
      height,
    };
  });
}

/** The places of one scene: [{x, y, width, height, name, picture}]. A shared screen takes the large place. */
export function places({ screens, faces, speaker }, { view, width, height }) {
  const all = { x: 0, y: 0, width, height };
  const large = screens.at(-1) ?? (view === 'speaker' ? (faces.find(({ user }) => user === speaker) ?? faces[0]) : null);
  if (!large) return grid(faces.length, all).map((place, i) => ({ ...place, ...faces[i] }));
  const isScreen = screens.includes(large);
  const small = faces.filter((one) => one !== large);
  const side = small.length > 0 ? even(width / 5) : 0;
  const shown = isScreen ? { name: large.name, picture: large } : large;
  const strip = grid(small.length, { x: width - side, y: 0, width: side, height });
  return [
    { x: 0, y: 0, width: width - side, height, ...shown },
    ...strip.map((place, i) => ({ ...place, ...small[i] })),
  ];
}
