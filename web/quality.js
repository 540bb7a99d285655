// Is the connection good enough to talk?
// SPDX-License-Identifier: MIT

const EVERY_MS = 3000;
const LOSS_MAX = 0.08;
const RTT_MAX_MS = 700;

/** True when between two readings of RodaClient.stats() too much was lost, or the way is too long. */
export function isWeak(before, now) {
  const total = (list, field) => list.reduce((sum, stat) => sum + (stat[field] ?? 0), 0);
  const lost = total(now.inbound, 'lost') - total(before.inbound, 'lost');
  const received = total(now.inbound, 'packets') - total(before.inbound, 'packets');
  if (received > 20 && lost / (lost + received) > LOSS_MAX) return true;
  return (now.transport?.rttMs ?? 0) > RTT_MAX_MS;
}

/** The user ids whose camera brought something before and nothing since. */
export function stalled(before, now) {
  const bytes = new Map(before.inbound.map(({ mid, userId, bytes: count }) => [`${mid}/${userId}`, count]));
  const isStill = (stat) =>
    stat.source === 'camera' && stat.bytes > 0 && bytes.get(`${stat.mid}/${stat.userId}`) === stat.bytes;
  return new Set(now.inbound.filter(isStill).map(({ userId }) => userId));
}

/** Calls `onReading({isWeak, stalled})` every few seconds. Returns the function that stops it. */
export function watchQuality(client, onReading) {
  let before = null;
  const timer = setInterval(async () => {
    const now = await client.stats().catch(() => null); // the connection is being exchanged
    if (now && before) onReading({ isWeak: isWeak(before, now), stalled: stalled(before, now) });
    before = now;
  }, EVERY_MS);
  return () => clearInterval(timer);
}
