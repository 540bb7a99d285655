// How does a test start the server, bring people into a room, and see what reaches them?
// SPDX-License-Identifier: MIT
//
// One file: node --test call.test.mjs; all: npm test. Environment: RODA_BIN (the server; else the release build, else
// the dev build), RODA_LOG (its log level), CHROMIUM, FIREFOX (the browsers), RODA_SHOTS (a folder for pictures).
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BINARIES = ['build/release/signaling/roda', 'build/dev/signaling/roda'].map((path) => ROOT + path);
const START_MS = 10_000;
const WAIT_MS = 30_000;
const POLL_MS = 40;
const SMALL_VIDEO = '320x240@15'; // what a fake camera is asked for unless a test needs more
const VIEWPORT = { width: 480, height: 400 };

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';

export const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  '--allow-loopback-in-peer-connection',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run',
];
const FIREFOX_PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
};

// ---- waiting

/** Resolves with the first value of `look()` that is true, rejects after `timeout` and says for what it waited. */
export async function waitFor(what, look, timeout = WAIT_MS) {
  const end = performance.now() + timeout;
  let last;
  for (;;) {
    try {
      last = await look();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${timeout} ms: ${what} (last: ${describe(last)})`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Rejects as soon as `look()` is false within `duration`. */
export async function holds(what, look, duration) {
  const end = performance.now() + duration;
  while (performance.now() < end) {
    if (!(await look())) throw new Error(`did not hold for ${duration} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function describe(value) {
  return value instanceof Error ? value.message : JSON.stringify(value);
}

// ---- the server

/**
 * {url, pid, exited, stop(), health()}: a server of this test's own, on a free port. Its log goes to our standard error, or to
 * the file descriptor `log`.
 */
export async function startServer(env = {}, { log = 'inherit' } = {}) {
  const binary = process.env.RODA_BIN ?? BINARIES.find(existsSync);
  if (!binary) throw new Error('no server: build it (script/server does) or name it in RODA_BIN');
  const settings = { PORT: '0', DATABASE_URL: ':memory:', DRAIN_TIMEOUT: '0', WEB_DIR: `${ROOT}web`, LOG_LEVEL: process.env.RODA_LOG ?? 'warn', ...env };
  const child = spawn(binary, { env: { PATH: process.env.PATH, ...settings }, stdio: ['ignore', 'pipe', log] });
  const exited = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the server does not say that it listens')), START_MS);
    exited.then((status) => reject(new Error(`the server ended at once: ${status}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const found = /listening on (https?:\/\/\S+)/.exec(line);
      if (!found) return;
      clearTimeout(timer);
      resolve(found[1].replace(/\/$/, ''));
    });
  });
  return {
    url,
    pid: child.pid,
    exited,
    async health() {
      return (await fetch(`${url}/health`)).json();
    },
    /** Ends it and returns its exit status: a sanitizer that found something makes it other than 0. */
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
      const status = await exited;
      clearTimeout(timer);
      if (status !== 0) throw new Error(`the server ended with ${status}`);
    },
  };
}

// ---- browsers

/** One Chromium for many people. `newPage(options)` gives each a context of their own. */
export async function startChromium({ executablePath = CHROMIUM, flags = [] } = {}) {
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_FLAGS, ...flags] });
  return {
    async newPage(options = {}) {
      const context = await browser.newContext({ viewport: VIEWPORT, locale: 'pt-BR', ...options });
      return watch(await context.newPage());
    },
    stop: () => browser.close(),
  };
}

export async function startFirefox() {
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    extraPrefsFirefox: FIREFOX_PREFERENCES,
  });
  return {
    async newPage() {
      const page = await browser.newPage();
      await page.setViewport(VIEWPORT);
      return watch(page);
    },
    stop: () => browser.close(),
  };
}

export function hasFirefox() {
  return existsSync(FIREFOX);
}

/** Collects what a page complains of in page.problems: errors, warnings of the security policy. */
function watch(page) {
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(`uncaught: ${error.message}`));
  page.on('console', (message) => {
    const text = message.text();
    if (message.type() === 'error' || /content.security.policy/i.test(text)) page.problems.push(text);
  });
  return page;
}

// ---- people

let rooms = 0;

/** A room nobody else uses. */
export function newRoom() {
  return `e2e-${process.pid}-${++rooms}`;
}

/** Opens the lobby as a person would, and waits until the devices are ready. */
export async function openLobby(page, { url, room, role = 'participant', video = SMALL_VIDEO }) {
  const path = role === 'host' ? 'medico' : 'paciente';
  // When a network interface comes or goes on this machine, Chromium gives up what it is loading, and says so.
  await waitFor('the page', async () => {
    page.problems.length = 0;
    await page.goto(`${url}/${path}/${room}?video=${video}`);
    return page.evaluate(() => 'roda' in globalThis);
  });
  await waitFor('devices', () => page.evaluate(() => roda.media?.isOn('camera') && roda.media.isOn('microphone')));
}

/** Goes through the lobby into the room; returns the user id. */
export async function join(page, { name, ...options }) {
  await openLobby(page, options);
  await page.locator('#name').fill(name);
  await page.locator('button[type=submit]').click();
  return waitFor(`${name} to be in the room`, () => joinedAs(page));
}

/** The user id once the page is in a room and its media are connected; before that it rejects with how far it is. */
export function joinedAs(page) {
  return page.evaluate(() => {
    const client = globalThis.roda?.client;
    if (client?.status === 'joined' && client.mediaState === 'connected') return client.userId;
    const { signalingState, iceConnectionState, iceGatheringState } = client?.connection ?? {};
    const soFar = [client?.status, client?.mediaState, signalingState, iceConnectionState, iceGatheringState];
    throw new Error(soFar.join(' '));
  });
}

/** People of a browser in one new room, the first as host and the others all at once: [{page, id, name, room}]. */
export async function gather(browser, server, count, options = {}) {
  const room = options.room ?? newRoom();
  const enter = async (name, index) => {
    const page = await browser.newPage(options.page);
    const role = index === 0 ? 'host' : 'participant';
    const id = await join(page, { url: options.url ?? server.url, room, role, name, ...options.join });
    return { page, id, name, room };
  };
  const [host, ...others] = ['Ana', 'Bia', 'Caio', 'Davi', 'Eva', 'Gil'].slice(0, count);
  const first = await enter(host, 0);
  return [first, ...(await Promise.all(others.map((name, index) => enter(name, index + 1))))];
}

// ---- what reaches a page

export function stats(page) {
  return page.evaluate(() => roda.client.stats());
}

/** The inbound stream of somebody's source: {bytes, framesDecoded, width, height, ...}; undefined: there is none. */
export async function inbound(page, userId, source) {
  return (await stats(page)).inbound.find((stat) => stat.userId === userId && stat.source === source);
}

export function inboundVideo(page, userId, source = 'camera') {
  return inbound(page, userId, source);
}

/** Waits until `count` more frames of somebody are decoded; returns the last stat. */
export async function framesRising(page, userId, { source = 'camera', count = 8, timeout = WAIT_MS } = {}) {
  const first = (await inboundVideo(page, userId, source))?.framesDecoded ?? 0;
  let now;
  await waitFor(
    `${count} frames of ${source}`,
    async () => {
      now = await inboundVideo(page, userId, source);
      return (now?.framesDecoded ?? 0) >= first + count;
    },
    timeout,
  );
  return now;
}

/** Waits until somebody is heard: energy, not only packets. */
export function heard(page, userId) {
  return waitFor('sound', async () => (await inbound(page, userId, 'microphone'))?.audioEnergy > 0);
}

/** Everybody decodes everybody's video, at that size unless it is null, and hears everybody. */
export async function everybodySeesEverybody(people, size = { width: 320, height: 240 }) {
  await Promise.all(
    people.map((one) =>
      seesAll(
        one,
        people.filter((other) => other !== one),
        size,
      ),
    ),
  );
}

async function seesAll({ page, name }, others, size) {
  const find = (list, userId, source) => list.find((stat) => stat.userId === userId && stat.source === source) ?? {};
  const first = (await stats(page)).inbound;
  let now;
  for (const other of others) {
    const start = find(first, other.id, 'camera').framesDecoded ?? 0;
    await waitFor(`${name} to see and hear ${other.name}`, async () => {
      now = (await stats(page)).inbound;
      const isHeard = find(now, other.id, 'microphone').audioEnergy > 0;
      return isHeard && find(now, other.id, 'camera').framesDecoded >= start + 8;
    });
    const { width, height } = find(now, other.id, 'camera');
    if (size && (width !== size.width || height !== size.height)) {
      throw new Error(`${name} sees ${other.name} as ${width}x${height}, not ${size.width}x${size.height}`);
    }
  }
}

/** Fails when a page complained; `allowed` is a pattern of what a test provokes on purpose. */
export function noProblems(people, allowed = null) {
  for (const { page, name } of people) {
    const left = page.problems.filter((text) => !allowed?.test(text));
    if (left.length > 0) throw new Error(`${name}'s page complained: ${left.join('; ')}`);
  }
}

/** Leaves and closes the pages, so that the next test has the processor for itself. */
export async function dismiss(people) {
  for (const { page } of people) {
    await page.evaluate(() => roda.client.leave()).catch(() => {}); // it may be out already
    await page.close();
  }
}
