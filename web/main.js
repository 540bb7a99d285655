// Which view is shown now? (start page -> lobby -> room -> end)
// SPDX-License-Identifier: MIT
import { RodaClient, takeSession } from './client.js';
import { Devices, canCapture } from './devices.js';
import { translate } from './dom.js';
import { endTitle, endView, returningView } from './end.js';
import { homeView } from './home.js';
import { startLanguage, t } from './i18n.js';
import { Lobby } from './lobby.js';
import { LocalMedia, rememberedMedia } from './media.js';
import { Room } from './room.js';
import { parseRoute, roomPath } from './route.js';
import { Switchboard } from './switchboard.js';

const TOKEN_KEY = 'roda.token';

const route = parseRoute(location);
let shown = null; // the Lobby or Room on the screen

/** For tests and the curious: `client` is the RodaClient of now, `media` our own tracks, `room` the Room. */
const roda = { route, client: null, media: null, room: null };
window.roda = roda;

function show(element, view = null) {
  shown?.close();
  shown = view;
  document.body.replaceChildren(element);
  element.querySelector('h1')?.focus({ preventScroll: true });
}

// The token leaves the address bar at once, so that a shared screen or a copied address does not give it away.
function takeToken() {
  if (!route.token) return sessionStorage.getItem(TOKEN_KEY);
  sessionStorage.setItem(TOKEN_KEY, route.token);
  const query = new URLSearchParams(location.search);
  query.delete('token');
  history.replaceState(null, '', `${location.pathname}${query.size ? `?${query}` : ''}`);
  return route.token;
}

function begin() {
  const devices = new Devices({ video: route.video });
  const media = new LocalMedia(devices);
  return { devices, media, token: takeToken() };
}

function makeLobby({ devices, media, token }) {
  const lobby = new Lobby({
    route,
    media,
    devices,
    enter: ({ name, password }) => enter({ devices, media, token, name, password, lobby }),
  });
  return lobby;
}

function openLobby() {
  const all = begin();
  const lobby = makeLobby(all);
  roda.media = all.media;
  show(lobby.element, lobby);
  lobby.start();
  return lobby;
}

// To a page, a WebSocket that is refused looks like one that is not answered; plain HTTP tells the reason.
async function leaveIfRefused(client, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch('/api/ice-servers', { headers }).catch(() => null); // no network: keep trying
  if (response?.status === 401 || response?.status === 403) client.leave('unauthorized');
}

// The host has to say yes first; whoever came back from a reload gets the lobby's picture of itself meanwhile.
function waitAtDoor(client, lobby) {
  if (shown !== lobby) show(lobby.element, lobby);
  lobby.knocking(() => client.leave());
}

function refused(error, { media, lobby }) {
  const reason = error.reason ?? error.code;
  if (lobby && reason === 'left') return lobby.back();
  if (lobby && reason.startsWith('password')) return lobby.askPassword(reason === 'password-wrong');
  return lobby ? lobby.failed(endTitle(reason)) : finish(reason, media);
}

async function enter({ devices, media, token, name, password, lobby, sessionToken }) {
  const client = new RodaClient({ token });
  let isIn = false;
  roda.client = client;
  client.addEventListener('drop', ({ detail }) => {
    if (client.status !== 'connecting' || detail.retryMs === null) return;
    lobby?.waiting();
    leaveIfRefused(client, token);
  });
  client.addEventListener('waiting', () => {
    if (isIn) return; // it was: the room says so itself
    lobby ??= makeLobby({ devices, media, token });
    waitAtDoor(client, lobby);
  });
  client.addEventListener('error', ({ detail }) => console.warn('roda:', detail.error));
  try {
    await client.connect();
    await media.attach(client);
    await client.join({ roomId: route.roomId, name, role: route.role, password, sessionToken });
  } catch (error) {
    client.leave();
    return refused(error, { media, lobby });
  }
  isIn = true;
  const room = new Room({ client, media, devices, roomId: route.roomId, token, name });
  roda.room = room;
  client.addEventListener('ended', ({ detail }) => finish(detail.reason, media));
  show(room.element, room);
  if (client.role === 'observer') await media.stop(); // the token says: only watches
}

function finish(reason, media) {
  media.stop();
  show(endView({ reason, again: openLobby }));
}

function openCalls() {
  const token = takeToken();
  const finish = (reason) => show(endView({ reason, again: openCalls }));
  new Switchboard({ show, finish, refused: leaveIfRefused, token, video: route.video, roda }).start();
}

// A reload in the middle of a call: straight back in, as the same participant.
async function comeBack(session) {
  show(returningView());
  const { devices, media, token } = begin();
  roda.media = media;
  if (canCapture()) await media.start(rememberedMedia());
  await enter({ devices, media, token, name: session.name, sessionToken: session.sessionToken });
}

function start() {
  startLanguage();
  document.title = t('title');
  translate(document);
  if (route.view === 'calls') return openCalls();
  if (route.view !== 'room') return show(homeView({ isTest: route.view === 'test' }));
  if (route.isNew) {
    history.replaceState(null, '', roomPath(route.roomId, route.role) + location.search + location.hash);
  }
  const session = takeSession(route.roomId);
  if (session) comeBack(session);
  else openLobby();
}

start();
