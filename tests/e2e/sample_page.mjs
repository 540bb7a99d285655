// How does the sample class of a document become a page? (types stripped, the methods it leaves open supplied)
// SPDX-License-Identifier: MIT
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { transformSync } from 'esbuild';

const SAMPLE = new URL('../vectors/seeds/video-call-manager.ts', import.meta.url);

// What the class imports from its project: the names of the document's lists of events.
const EVENTS = `
  CALL_INITIATE CALL_ANSWER CALL_DECLINE CALL_END CALL_PARTICIPANT_MEDIA_UPDATE WEBRTC_OFFER WEBRTC_ANSWER
  WEBRTC_ICE_CANDIDATE CALL_INCOMING CALL_STARTED CALL_ENDED CALL_PARTICIPANT_JOINED CALL_PARTICIPANT_LEFT
  CALL_PARTICIPANT_MEDIA_CHANGED CALL_STATUS_CHANGED WEBRTC_OFFER_RECEIVED WEBRTC_ANSWER_RECEIVED
  WEBRTC_ICE_CANDIDATE_RECEIVED`;

// The methods and fields the class uses and does not have. `target` is null for the way of the document, peer to peer:
// the caller offers to whoever accepted. Else both offer to that target.
const SUBCLASS = `
export class Phone extends VideoCallManager {
  currentCallId = null
  target = null
  ended = null
  streams = new Map()
  changes = []

  constructor(wsUrl, token, selfId) {
    super(wsUrl, token)
    this.selfId = selfId
    this.onRemoteStream = (userId, stream) => this.show(userId, stream)
    this.onParticipantMediaChanged = (data) => this.changes.push(data)
  }

  show(userId, stream) {
    this.streams.set(userId, stream)
    const known = document.getElementById(\`video-\${userId}\`)
    const video = known ?? Object.assign(document.createElement('video'), { id: \`video-\${userId}\`, autoplay: true })
    if (!known) document.body.append(video)
    video.srcObject = stream
  }

  async handleIncomingCall(data) {
    this.currentCallId = data.callId
    await this.answerCall(data.callId)
  }

  async handleCallStarted(data) {
    this.currentCallId = data.callId
    if (this.target) await this.createOffer(data.callId, this.target)
    else if (data.initiatorId === this.selfId) await this.createOffer(data.callId, data.acceptedBy)
  }

  handleCallEnded(data) {
    this.ended = data
    this.cleanup()
  }
}
`;

function files() {
  const { code } = transformSync(readFileSync(SAMPLE, 'utf8'), { loader: 'ts', target: 'esnext' });
  const names = EVENTS.trim().split(/\s+/);
  return {
    '/': [
      'text/html',
      `<!doctype html><link rel="icon" href="data:,"><script type="importmap">{"imports":{"@/contracts":"/contracts.js"}}</script>
       <script type="module">globalThis.Phone = (await import('/sample.js')).Phone</script>`,
    ],
    '/contracts.js': [
      'text/javascript',
      `export const CallWebSocketEventType = ${JSON.stringify(Object.fromEntries(names.map((name) => [name, name])))}`,
    ],
    '/sample.js': ['text/javascript', code + SUBCLASS],
  };
}

/** Serves the page from an origin of its own: {url, stop()}. */
export async function serveSample() {
  const content = files();
  const server = createServer((request, response) => {
    const [type, text] = content[request.url] ?? [];
    response.writeHead(text ? 200 : 404, { 'content-type': type ?? 'text/plain' }).end(text ?? '');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections?.()),
  };
}
