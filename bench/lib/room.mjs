// Who is in a room, and what should reach them?
// SPDX-License-Identifier: MIT

/** Rooms of publishers who do not listen and listeners who do not publish, or of members who do both. */
export function makeRooms({ rooms = 1, publishers = 0, listeners = 0, members = 0, audio = false, video = true }, first = 1) {
  return Array.from({ length: rooms }, (_, i) => {
    const id = `room-${first + i}`;
    const make = (kind, n, publishes, listens) =>
      Array.from({ length: n }, (_unused, k) => ({
        user: `${kind}-${first + i}-${k + 1}`,
        audio: publishes && audio,
        video: publishes && video,
        listens,
      }));
    return {
      id,
      number: first + i,
      members: [
        ...make('publisher', publishers, true, false),
        ...make('member', members, true, true),
        ...make('listener', listeners, false, true),
      ],
    };
  });
}

/** How many streams should arrive. */
export function streamsOf(rooms) {
  let count = 0;
  for (const { members } of rooms) {
    for (const listener of members.filter(({ listens }) => listens)) {
      for (const other of members) if (other !== listener) count += other.audio + other.video;
    }
  }
  return count;
}

/** Does something for each of the items, a few at a time, in order of start. */
export async function each(items, atATime, work) {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++]);
  };
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, worker));
}
