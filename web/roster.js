// Who else is in the room, and which tracks of theirs do we receive?
// SPDX-License-Identifier: MIT

const FRESH = { name: '', role: 'participant', isMuted: false, isVideoEnabled: true, isSharingScreen: false };

/**
 * Keeps `participants` equal to what the server says, and their `tracks` equal to what the server says and the
 * connection has. Each difference is told once through `tell(type, detail)`: participant-joined, -changed, -left,
 * track, track-ended.
 */
export class Roster {
  participants = new Map(); // userId -> {userId, ...FRESH, tracks: Map(source -> {mid, source, kind, track, stream})}
  wireTracks = []; // the server's last list of {mid, userId, source, kind}
  selfId = null;
  #tell;

  constructor(tell) {
    this.#tell = tell;
  }

  /** Exactly these are present (ourselves may be among them). */
  sync(list) {
    const present = new Set(list.map(({ userId }) => userId));
    present.delete(this.selfId);
    for (const userId of [...this.participants.keys()]) {
      if (!present.has(userId)) this.drop(userId, 'left');
    }
    for (const data of list) this.add(data);
  }

  add(data) {
    if (data.userId === this.selfId) return;
    if (this.participants.has(data.userId)) return this.change(data.userId, data);
    const participant = { ...FRESH, ...data, tracks: new Map() };
    this.participants.set(data.userId, participant);
    this.#tell('participant-joined', { participant });
  }

  change(userId, data) {
    const participant = this.participants.get(userId);
    if (!participant) return;
    const keys = Object.keys(FRESH).filter((key) => data[key] !== undefined && data[key] !== participant[key]);
    for (const key of keys) participant[key] = data[key];
    if (keys.length > 0) this.#tell('participant-changed', { participant });
  }

  drop(userId, reason) {
    const participant = this.participants.get(userId);
    if (!participant) return;
    this.participants.delete(userId);
    for (const known of participant.tracks.values()) this.#tell('track-ended', { userId, ...known });
    this.#tell('participant-left', { participant, reason });
  }

  /** `receiver(mid)` gives the RTCRtpReceiver of an m-line the server sends on, or null. */
  syncTracks(receiver) {
    for (const participant of this.participants.values()) this.#endTracks(participant);
    for (const { mid, userId, source, kind } of this.wireTracks) {
      const tracks = this.participants.get(userId)?.tracks;
      const track = receiver(mid)?.track;
      if (!tracks || !track || tracks.get(source)?.track === track) continue;
      const entry = { mid, source, kind: kind ?? track.kind, track, stream: new MediaStream([track]) };
      tracks.set(source, entry);
      this.#tell('track', { userId, ...entry });
    }
  }

  #endTracks({ userId, tracks }) {
    for (const [source, known] of tracks) {
      if (this.wireTracks.some((wire) => wire.userId === userId && wire.source === source)) continue;
      tracks.delete(source);
      this.#tell('track-ended', { userId, ...known });
    }
  }
}
