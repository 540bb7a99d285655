// How do this browser and the SFU agree on media? (one RTCPeerConnection, W3C "perfect negotiation", polite side)
// SPDX-License-Identifier: MIT
import { keepToOffer } from './codecs.js';
import { SignalError, emit } from './signal.js';

const DISCONNECTED_PATIENCE_MS = 2000; // "disconnected" often heals by itself
const RESTART_AGAIN_MS = 6000;
const RESTARTS_MAX = 5; // then the media is called lost
const GLARE_PATIENCE_MS = 2000; // the offer that beat ours must arrive within this
const REFUSALS_MAX = 5; // in a row; then only a change or a resync tries again

// Simulcast layers, lowest first, so that the index of one is the `spatial` of select-layer. Chromium sends three of
// them from 960x540 up and two from 480x270 up, whatever it is asked for, and leaves out the LARGEST: ask for no more.
const LAYERS = [
  { rid: 'q', scale: 4, share: 0.1, widthMin: 960 },
  { rid: 'h', scale: 2, share: 0.3, widthMin: 640 },
  { rid: 'f', scale: 1, share: 1, widthMin: 0 },
];
const CAMERA_BPS_MAX = 1_700_000;
const SCREEN_BPS_MAX = 2_500_000;

function cameraEncodings(track) {
  const { width = 0, height = 0 } = track.getSettings();
  const fullBps = Math.max(300_000, Math.min(CAMERA_BPS_MAX, Math.round(width * height * 2.4)));
  const layers = LAYERS.filter(({ widthMin }) => Math.max(width, height) >= widthMin);
  if (layers.length === 1) return [{ maxBitrate: fullBps }];
  return layers.map(({ rid, scale, share }) => ({
    rid,
    scaleResolutionDownBy: scale,
    maxBitrate: Math.round(fullBps * share),
  }));
}

function encodingsFor(source, track) {
  if (source === 'camera') return cameraEncodings(track);
  if (source === 'screen') return [{ maxBitrate: SCREEN_BPS_MAX }];
  return undefined;
}

/**
 * The media side of one participant.
 *
 * `send(event, data)` puts a message on the wire and returns a promise of its ack. Events (in `detail`):
 * `negotiated` (after each remote description); `state` {state} (RTCPeerConnection.connectionState); `channel`
 * {channel}; `lost` {reason}: only a new Peer can help now; `trouble` {error}: the server refused a description.
 */
export class Peer extends EventTarget {
  #pc;
  #PeerConnection;
  #config;
  #send;
  #chain = Promise.resolve();
  #published = new Map(); // source -> {track, stream}
  #sending = new Map(); // source -> RTCRtpTransceiver
  #channels = new Map(); // label -> RTCDataChannel
  #candidates = []; // those that came before the first remote description
  #unsettled = null; // our offer that the server has neither taken nor refused: {answer: the newest one to it}
  #refusals = 0;
  #restarts = 0;
  #iceTimer = null;
  #glareTimer = null;
  #closed = false;

  constructor({ iceServers = [], send, PeerConnection = globalThis.RTCPeerConnection }) {
    super();
    this.#send = send;
    this.#PeerConnection = PeerConnection;
    this.#config = { iceServers, bundlePolicy: 'max-bundle' };
    this.#open();
    this.#fill();
  }

  #open() {
    const pc = new this.#PeerConnection(this.#config);
    this.#pc = pc;
    pc.onnegotiationneeded = () => this.#queue(() => this.#offer());
    pc.onicecandidate = ({ candidate }) => this.#trickle(candidate);
    pc.onicecandidateerror = (event) => this.#relayRefused(event);
    pc.oniceconnectionstatechange = () => this.#watchIce();
    pc.onconnectionstatechange = () => this.#watchConnection();
    pc.ondatachannel = ({ channel }) => this.#adopt(channel);
  }

  // A relay that does not answer is one of several; one that refuses us is a mistake somebody must hear of.
  #relayRefused({ errorCode, errorText, url }) {
    if (errorCode < 400 || errorCode >= 500 || this.#closed) return; // TURN's own codes (RFC 8656 section 19)
    emit(this, 'trouble', { error: new SignalError('turn', `${url} refuses: ${errorCode} ${errorText}`) });
  }

  #fill() {
    // A channel that never opens itself (`negotiated`) keeps an m=application section in the first offer: there is
    // something to negotiate even for somebody without camera and microphone, and channels need no new offer later.
    this.#pc.createDataChannel('roda', { negotiated: true, id: 0 });
    for (const source of this.#published.keys()) this.#addTransceiver(source);
  }

  #addTransceiver(source) {
    const { track, stream } = this.#published.get(source);
    const sendEncodings = encodingsFor(source, track);
    const init = { direction: 'sendonly', streams: [stream], ...(sendEncodings && { sendEncodings }) };
    this.#sending.set(source, this.#pc.addTransceiver(track, init));
  }

  get connection() {
    return this.#pc;
  }

  get state() {
    return this.#pc.connectionState;
  }

  /** Sends `track` as `source`, or puts it in the place of the track sent so far. */
  async publish(source, track, stream) {
    this.#published.set(source, { track, stream });
    const transceiver = this.#sending.get(source);
    if (!transceiver) return this.#addTransceiver(source);
    await transceiver.sender.replaceTrack(track);
    if (transceiver.direction !== 'sendonly') transceiver.direction = 'sendonly';
  }

  /** Stops sending. With `keep` the m-line stays as it is, so that coming back needs no negotiation. */
  async unpublish(source, { keep = false } = {}) {
    this.#published.delete(source);
    const transceiver = this.#sending.get(source);
    if (!transceiver) return;
    await transceiver.sender.replaceTrack(null);
    if (!keep) transceiver.direction = 'inactive';
  }

  sender(source) {
    return this.#sending.get(source)?.sender ?? null;
  }

  /** What each m-line of ours carries: {mid: source}. */
  sources() {
    const sources = {};
    for (const [source, { mid, direction }] of this.#sending) {
      if (mid !== null && direction === 'sendonly') sources[mid] = source;
    }
    return sources;
  }

  /** The receiver behind an m-line the server sends on, or null when it is not (or no longer) active. */
  receiver(mid) {
    const transceiver = this.#pc.getTransceivers().find((one) => one.mid === mid);
    return transceiver?.currentDirection?.includes('recv') ? transceiver.receiver : null;
  }

  /** The data channel of that label: ours if there is one, the server's if it came first, else a new one. */
  openChannel(label, options) {
    const known = this.#channels.get(label);
    if (known && known.readyState !== 'closing' && known.readyState !== 'closed') return known;
    const channel = this.#pc.createDataChannel(label, options);
    this.#adopt(channel);
    return channel;
  }

  /** A description or candidate from the server. */
  receive(kind, payload) {
    if (kind === 'offer') return this.#queue(() => this.#takeOffer(payload));
    if (kind === 'answer') return this.#queue(() => this.#takeAnswer(payload));
    return this.#queue(() => this.#takeCandidate(payload));
  }

  /** The signaling came back after a drop: whatever was in flight is gone, so say everything again. */
  resync() {
    this.#refusals = 0;
    return this.#queue(async () => {
      clearTimeout(this.#glareTimer);
      if (this.#pc.signalingState === 'have-local-offer') await this.#rollback();
      await this.#offer();
    });
  }

  /** Looks for a new path (RFC 8445 ICE restart); media keeps to the old one as long as that lives. */
  restartIce() {
    if (!this.#closed) this.#pc.restartIce();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#iceTimer);
    clearTimeout(this.#glareTimer);
    this.#pc.close();
  }

  // Descriptions and candidates are applied strictly one after the other.
  #queue(step) {
    this.#chain = this.#chain
      .then(() => (this.#closed ? undefined : step()))
      .catch((error) => {
        if (!this.#closed) emit(this, 'trouble', { error });
      });
    return this.#chain;
  }

  async #offer() {
    if (this.#pc.signalingState !== 'stable') return; // it fires again once stable
    await this.#pc.setLocalDescription();
    const { type, sdp } = this.#pc.localDescription;
    const offer = { answer: null };
    this.#unsettled = offer;
    // The ack is not awaited here: the offer that collides with ours must be able to come in meanwhile.
    this.#send('offer', { sdp: { type, sdp }, sources: this.sources() }).then(
      () => this.#offerTaken(offer),
      (error) => this.#offerRefused(error, sdp, offer),
    );
  }

  // The server sends its answer, then the ack. An answer it kept while the socket was lost, to an offer rolled back
  // since, comes before both: the last one before the ack is ours.
  #offerTaken(offer) {
    this.#refusals = 0;
    if (this.#unsettled !== offer) return;
    this.#unsettled = null;
    if (offer.answer !== null) this.receive('answer', offer.answer);
  }

  #offerRefused(error, sdp, offer) {
    if (this.#unsettled === offer) this.#unsettled = null;
    const isOurs = () => this.#pc.signalingState === 'have-local-offer' && this.#pc.localDescription.sdp === sdp;
    if (this.#closed || error.code === 'offline' || !isOurs()) return; // offline: resync() will come
    const isGlare = error.code === 'busy'; // the server's own offer is on its way
    if (!isGlare) emit(this, 'trouble', { error });
    if (++this.#refusals >= REFUSALS_MAX) return;
    clearTimeout(this.#glareTimer);
    this.#glareTimer = setTimeout(
      () => this.#queue(() => (isOurs() ? this.#rollback() : undefined)),
      GLARE_PATIENCE_MS,
    );
  }

  // Back to stable, where the browser notices by itself what is still to be negotiated.
  #rollback() {
    return this.#pc.setLocalDescription({ type: 'rollback' });
  }

  async #takeOffer(sdp) {
    clearTimeout(this.#glareTimer);
    const isFirst = this.#pc.signalingState === 'have-local-offer' && !this.#pc.remoteDescription;
    if (isFirst) this.#startOver();
    await this.#pc.setRemoteDescription({ type: 'offer', sdp }); // rolls an offer of ours back: we are polite
    this.#refusals = 0;
    await this.#flushCandidates();
    const own = new Set(this.#sending.values());
    keepToOffer(
      sdp,
      this.#pc.getTransceivers().filter((one) => !own.has(one)),
    );
    await this.#pc.setLocalDescription();
    const answer = this.#pc.localDescription;
    this.#send('answer', { sdp: { type: answer.type, sdp: answer.sdp }, sources: this.sources() }).catch((error) => {
      if (error.code !== 'offline' && !this.#closed) emit(this, 'trouble', { error });
    });
    emit(this, 'negotiated');
    if (isFirst) this.#fill();
  }

  // Chromium does not come back whole from a rollback of its very first offer: the data channels are dead and it asks
  // for negotiation for ever. A connection that has not offered anything yet has nothing to roll back.
  #startOver() {
    this.#pc.close();
    this.#sending.clear();
    this.#channels.clear();
    this.#candidates = [];
    this.#open();
  }

  async #takeAnswer(sdp) {
    if (this.#pc.signalingState !== 'have-local-offer') return; // to an offer that was rolled back
    if (this.#unsettled) return void (this.#unsettled.answer = sdp);
    await this.#pc.setRemoteDescription({ type: 'answer', sdp });
    await this.#flushCandidates();
    emit(this, 'negotiated');
  }

  async #takeCandidate(candidate) {
    if (!this.#pc.remoteDescription) this.#candidates.push(candidate);
    else await this.#addCandidate(candidate);
  }

  async #flushCandidates() {
    for (const candidate of this.#candidates.splice(0)) await this.#addCandidate(candidate);
  }

  // A candidate that does not fit (an old generation, a kind this browser does not know) costs nothing.
  async #addCandidate(candidate) {
    await this.#pc.addIceCandidate(candidate ?? undefined).catch(() => {});
  }

  #trickle(candidate) {
    this.#send('candidate', { candidate: candidate?.candidate ? candidate.toJSON() : null }).catch(() => {});
  }

  #adopt(channel) {
    this.#channels.set(channel.label, channel);
    emit(this, 'channel', { channel });
  }

  #watchIce() {
    const state = this.#pc.iceConnectionState;
    clearTimeout(this.#iceTimer);
    if (state === 'connected' || state === 'completed') this.#restarts = 0;
    if (state === 'disconnected') this.#iceTimer = setTimeout(() => this.#heal(), DISCONNECTED_PATIENCE_MS);
    if (state === 'failed') this.#heal();
  }

  #heal() {
    if (this.#closed) return;
    if (this.#restarts++ >= RESTARTS_MAX) return emit(this, 'lost', { reason: 'ice' });
    this.restartIce();
    clearTimeout(this.#iceTimer);
    this.#iceTimer = setTimeout(() => this.#heal(), RESTART_AGAIN_MS);
  }

  #watchConnection() {
    emit(this, 'state', { state: this.#pc.connectionState });
    const ice = this.#pc.iceConnectionState;
    // ICE is well and yet the connection failed: DTLS did, and no restart repairs that.
    if (this.#pc.connectionState === 'failed' && ice !== 'failed') emit(this, 'lost', { reason: 'dtls' });
  }
}
