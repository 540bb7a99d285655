// How does a test put a browser behind a network of its own, and run a real TURN server?
// SPDX-License-Identifier: MIT
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { waitFor } from './harness.mjs';

const TURNSERVER = process.env.TURNSERVER ?? '/usr/bin/turnserver';
const REALM = 'roda.test';

function run(command) {
  return execFileSync('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

/** An address of this machine that is not loopback, or null. */
export function ownAddress() {
  const all = Object.values(networkInterfaces()).flat();
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null;
}

export function freePort(host) {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, host, () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export function hasTurnServer() {
  return existsSync(TURNSERVER);
}

/** coturn with use-auth-secret on that address: {port, stop()}. */
export async function startTurn({ address, secret }) {
  const port = await freePort(address);
  const folder = mkdtempSync(joinPath(tmpdir(), 'roda-turn-'));
  const options = {
    'listening-ip': address,
    'relay-ip': address,
    'listening-port': port,
    'static-auth-secret': secret,
    realm: REALM,
    'log-file': 'stdout',
    pidfile: joinPath(folder, 'pid'),
    userdb: joinPath(folder, 'db'),
  };
  const flags = ['-n', '--use-auth-secret', '--fingerprint', '--no-tls', '--no-dtls', '--no-cli', '--no-multicast-peers'];
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const child = spawn(TURNSERVER, [...flags, ...words], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGKILL');
    await exited;
    rmSync(folder, { recursive: true });
  };
  await waitFor('coturn to answer', () => answersStun(address, port)).catch(async (error) => {
    await stop();
    throw error;
  });
  return { port, stop };
}

/** Asks with a STUN binding request (RFC 8489 section 5); whether there is an answer. */
function answersStun(address, port) {
  const request = Buffer.concat([Buffer.from([0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42]), randomBytes(12)]);
  const socket = createSocket('udp4');
  return new Promise((resolve) => {
    const done = (answer) => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => done(false), 200);
    socket.once('error', () => done(false));
    socket.once('message', () => done(true));
    socket.send(request, port, address);
  });
}

/**
 * A network namespace at the other end of a veth pair. {reason} when this machine lets us make none, else
 * {outside: our address there, only(rules), chromium, stop()}: `only` lets nothing through but what the nft
 * expressions match, `chromium` is a program that starts the browser inside.
 */
export function makeNamespace(tag) {
  if (process.getuid() !== 0) return { reason: 'needs root to make a network namespace' };
  const id = process.pid % 50000;
  const name = `roda-${tag}-${id}`;
  const subnet = `10.${150 + (id % 50)}.${(id >> 6) % 256}`;
  const [near, far] = [`r${tag[0]}v${id}`, `r${tag[0]}w${id}`];
  const undo = [];
  const stop = () => undo.reverse().forEach((step) => step());
  const within = (command) => run(`ip netns exec ${name} ${command}`);
  try {
    run(`ip netns add ${name}`);
    undo.push(() => run(`ip netns del ${name}`));
    run(`ip link add ${near} type veth peer name ${far} netns ${name}`);
    run(`ip addr add ${subnet}.1/24 dev ${near} && ip link set ${near} up`);
    within(`ip addr add ${subnet}.2/24 dev ${far}`);
    within(`ip link set ${far} up`);
    within('ip link set lo up');
    within('nft add table inet only');
    within("nft 'add chain inet only out { type filter hook output priority 0; policy drop; }'");
    within("nft 'add rule inet only out oif lo accept'");
  } catch (error) {
    stop();
    return { reason: `no network namespace with nft here: ${String(error.stderr || error.message).trim()}` };
  }
  const folder = mkdtempSync(joinPath(tmpdir(), 'roda-netns-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  const chromium = joinPath(folder, 'chromium');
  const program = process.env.CHROMIUM ?? '/usr/bin/chromium';
  writeFileSync(chromium, `#!/bin/sh\nexec ip netns exec ${name} ${program} "$@"\n`);
  chmodSync(chromium, 0o755);
  const only = (rules) => {
    within('nft flush chain inet only out');
    for (const rule of ['oif lo', ...rules]) within(`nft 'add rule inet only out ${rule} accept'`);
    within("nft 'add rule inet only out counter drop'");
  };
  const dropped = () => Number(/counter packets (\d+)/.exec(within('nft list chain inet only out'))?.[1] ?? 0);
  return { outside: `${subnet}.1`, chromium, only, dropped, stop };
}
