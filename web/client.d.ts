// Which types does the client of Roda have? (for editors and TypeScript; nothing of it runs)
// SPDX-License-Identifier: MIT

export type Source = 'microphone' | 'camera' | 'screen' | 'screen-audio';
export type Role = 'host' | 'participant' | 'observer';
export type Status = 'idle' | 'connecting' | 'connected' | 'waiting' | 'joined' | 'reconnecting' | 'ended';
export type CallType = 'AUDIO' | 'VIDEO';
export type CallStatus = 'RINGING' | 'CONNECTING' | 'CONNECTED' | 'ENDED' | 'MISSED' | 'DECLINED' | 'FAILED' | 'BUSY';

/** A request that was refused or never got there: the protocol's code, or `offline`, `timeout`, `too-big`. */
export class SignalError extends Error {
  code: string;
  event?: string;
  reason?: string;
}

export interface RemoteTrack {
  mid: string;
  source: Source;
  kind: 'audio' | 'video';
  track: MediaStreamTrack;
  stream: MediaStream;
}

export interface MediaState {
  isMuted: boolean;
  isVideoEnabled: boolean;
  isSharingScreen: boolean;
}

export interface Participant extends MediaState {
  userId: string;
  name: string;
  role: Role;
  tracks: Map<Source, RemoteTrack>;
}

export interface RoomRules {
  name?: string;
  locked: boolean;
  waitingRoom: boolean;
  maxParticipants: number;
  hasPassword: boolean;
}

export interface JoinAck {
  roomId: string;
  userId: string;
  name: string;
  role: Role;
  sessionToken: string;
  hostId: string | null;
  resumed: boolean;
  participants: Omit<Participant, 'tracks'>[];
  iceServers: RTCIceServer[];
}

export interface Session {
  roomId: string;
  userId: string;
  name: string;
  sessionToken: string;
  callId?: string;
}

/** What a reload of this tab left behind: for that room, or without one for a call. Once. */
export function takeSession(roomId?: string, storage?: Storage): Session | null;

export interface ClientOptions {
  server?: string;
  token?: string;
  userId?: string;
  name?: string;
  url?: string;
  storage?: Storage;
}

export class RodaClient extends EventTarget {
  constructor(options?: ClientOptions);
  readonly calls: Calls;
  readonly recorder: Recorder;
  readonly status: Status;
  readonly mediaState: RTCPeerConnectionState;
  readonly roomId: string | null;
  readonly userId: string | null;
  readonly role: Role | null;
  readonly hostId: string | null;
  readonly isHost: boolean;
  readonly participants: Map<string, Participant>;
  readonly room: RoomRules | null;
  readonly knocks: Map<string, { userId: string; name: string }>;
  readonly connection: RTCPeerConnection | null;
  readonly media: MediaState;

  connect(): Promise<void>;
  join(wish: {
    roomId: string;
    name?: string;
    userId?: string;
    role?: Role;
    password?: string;
    sessionToken?: string;
  }): Promise<JoinAck>;
  leaveRoom(): Promise<void>;
  leave(reason?: string): void;

  publish(source: Source, track?: MediaStreamTrack, stream?: MediaStream): Promise<MediaStreamTrack>;
  unpublish(source: Source): Promise<void>;
  setEnabled(source: Source, enabled: boolean): Promise<void>;
  localTrack(source: Source): MediaStreamTrack | null;

  remoteTrack(userId: string, source: Source): RemoteTrack | null;
  subscribe(userId: string, source: Source, listener: (entry: RemoteTrack | null) => void): () => void;
  selectLayer(userId: string, source: Source, layer?: { spatial?: number; temporal?: number }): Promise<object>;

  chat(text: string, to?: string): Promise<object>;
  openChannel(label: string, options?: RTCDataChannelInit): RTCDataChannel;

  mute(targetId: string, options?: { kind?: 'audio' | 'video'; locked?: boolean }): Promise<object>;
  unlock(targetId: string, options?: { kind?: 'audio' | 'video' }): Promise<object>;
  remove(targetId: string, reason?: string): Promise<object>;
  admit(userId?: string): Promise<object>;
  deny(userId?: string): Promise<object>;
  updateRoom(rules: Partial<RoomRules> & { password?: string | null }): Promise<object>;
  close(reason?: string): Promise<object>;

  request(event: string, data?: object): Promise<any>;
  restartIce(): void;
  stats(): Promise<{ inbound: object[]; outbound: object[]; transport: object | null }>;
}

export interface Recorder {
  readonly state: { recording: boolean; state: string; by?: string; reason?: string; since?: string };
  readonly taps: { userId: string; source: Source; active: boolean }[];
  readonly isMine: boolean;
  start(): Promise<object>;
  stop(): Promise<object>;
}

export interface Call {
  id: string;
  roomId: string;
  type: CallType;
  status: CallStatus;
  initiatorId: string;
  initiatorName: string;
  initiatorAvatar?: string | null;
  chatId?: string | null;
  participants: { userId: string; userName: string; status: string }[];
  startedAt: string;
  answeredAt?: string | null;
  connectedAt?: string | null;
  duration?: number;
  endedBy?: string | null;
  reason?: string | null;
  isIncoming: boolean;
  answer: null | 'accepted' | 'declined' | 'elsewhere';
  hungUp: boolean;
}

export interface CallPage {
  calls: Call[];
  page: number;
  limit: number;
  total: number;
}

export class Calls extends EventTarget {
  readonly current: Call | null;
  readonly ringing: Call[];
  call(participantIds: string[], options?: { type?: CallType; chatId?: string }): Promise<Call>;
  accept(id: string): Promise<Call>;
  decline(id: string, reason?: string): Promise<void>;
  end(reason?: string, id?: string): Promise<void>;
  leave(id?: string): Promise<void>;
  add(participantIds: string[], id?: string): Promise<object>;
  resume(session: Session): Promise<Call>;
  history(options?: { page?: number; limit?: number; type?: CallType; chatId?: string }): Promise<CallPage>;
  active(options?: { page?: number; limit?: number }): Promise<CallPage>;
}
