// What does the address ask for: which room, in which role, with which token?
// SPDX-License-Identifier: MIT

const ROOM_ID = /^[A-Za-z0-9][A-Za-z0-9._~-]{0,127}$/;
const LETTERS = 'abcdefghjkmnpqrstuvwxyz'; // without i, l, o: they are misread on the phone
const ROLES = { medico: 'host', paciente: 'participant', participant: 'participant' };

export function isRoomId(text) {
  return ROOM_ID.test(text);
}

/** A room nobody guesses and anybody can read aloud: 3 x 4 letters (54 bits). */
export function newRoomId(random = (bytes) => crypto.getRandomValues(bytes)) {
  const letters = [];
  while (letters.length < 12) {
    const [byte] = random(new Uint8Array(1));
    if (byte < 230) letters.push(LETTERS[byte % 23]); // 230 = 10 * 23: every letter equally likely
  }
  return [0, 4, 8].map((start) => letters.slice(start, start + 4).join('')).join('-');
}

/**
 * {view: 'home' | 'test' | 'calls' | 'room', roomId, role, isNew, token, video}. /video without a room makes a new one
 * and hosts it. The token comes from `#token=` or `?token=`; `?video=320x240@15` asks the camera for that size and rate.
 */
export function parseRoute({ pathname, search = '', hash = '' }) {
  const [, first = '', rawRoom = ''] = pathname.split('/');
  const query = new URLSearchParams(search);
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? query.get('token');
  const common = { token, video: parseVideo(query.get('video')) };
  const roomId = decode(rawRoom);
  if (first === 'calls') return { view: 'calls', roomId: null, role: null, ...common };
  if (first === 'teste-video') return { view: 'test', roomId: null, role: null, ...common };
  if (first === 'video' && !roomId)
    return { view: 'room', roomId: newRoomId(), role: 'host', isNew: true, ...common };
  if ((first in ROLES || first === 'video') && isRoomId(roomId)) {
    return { view: 'room', roomId, role: ROLES[first] ?? 'participant', ...common };
  }
  return { view: 'home', roomId: null, role: null, ...common };
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function parseVideo(text) {
  const match = /^(\d{2,4})x(\d{2,4})(?:@(\d{1,2}))?$/.exec(text ?? '');
  if (!match) return null;
  const [width, height, frameRate] = match.slice(1).map((digits) => (digits ? Number(digits) : undefined));
  return { width, height, frameRate };
}

export function roomPath(roomId, role) {
  return `/${role === 'host' ? 'medico' : 'paciente'}/${encodeURIComponent(roomId)}`;
}

/** What to send to the people who should come. */
export function inviteUrl(roomId, origin = location.origin) {
  return new URL(roomPath(roomId, 'participant'), origin).href;
}
