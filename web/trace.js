// What does a page leave behind for the one its reload brings?
// SPDX-License-Identifier: MIT

const KEY = 'roda.session';

/** Leaves {roomId, userId, name, sessionToken, callId?}. */
export function leaveSession(session, storage) {
  storage?.setItem(KEY, JSON.stringify(session));
}

/**
 * The session a reload of this tab left behind for that room, or, without one, for a call; or null. It is there once:
 * the next time it is not found.
 *
 * @param {string} [roomId]
 * @returns {{roomId: string, userId: string, name: string, sessionToken: string, callId?: string} | null}
 */
export function takeSession(roomId, storage = globalThis.sessionStorage) {
  try {
    const session = JSON.parse(storage.getItem(KEY));
    storage.removeItem(KEY);
    return session && (roomId === undefined ? session.callId : session.roomId === roomId) ? session : null;
  } catch {
    return null;
  }
}
