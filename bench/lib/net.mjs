// Where do server and swarm meet? (two network namespaces and a veth pair between them)
// SPDX-License-Identifier: MIT
//
// The whole bench runs in a fresh network namespace, the servers in a second one. Both ends have 127/8 addresses:
// servers that listen only on loopback addresses take them, and those that refuse loopback *interfaces* do too.
// Nothing is left behind: the namespaces die with their processes.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

export const SERVER_ADDRESS = '127.77.0.1';
export const SWARM_ADDRESS = '127.77.0.2';
const INSIDE = 'RODA_BENCH_NAMESPACE';
const BUFFER = '/proc/sys/net/core/rmem_default';
const BUFFER_BYTES = 4 << 20;

export function isInside() {
  return process.env[INSIDE] === '1';
}

/** Runs this script again in a network namespace of its own; resolves with its exit status, or null: not possible. */
export async function enter() {
  const flags = process.getuid() === 0 ? ['-n'] : ['-r', '-n'];
  const probe = ['ip', 'link', 'add', 'probe0', 'type', 'veth'];
  if (spawnSync('unshare', [...flags, ...probe]).status !== 0) return null;
  // Sockets of servers that do not size their receive buffers themselves get this; the setting is the machine's.
  const before = raiseBuffers();
  process.on('exit', () => before !== null && writeFileSync(BUFFER, before));
  // The driver keeps off the server's core, as the swarm does.
  const pin = availableParallelism() > 1 ? ['taskset', '-c', '1'] : [];
  const child = spawn('unshare', [...flags, ...pin, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1', RODA_BENCH_RMEM: readFileSync(BUFFER, 'utf8').trim() },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => child.on('close', (status) => resolve(status ?? 1)));
}

function raiseBuffers() {
  try {
    const before = readFileSync(BUFFER, 'utf8').trim();
    writeFileSync(BUFFER, String(Math.max(BUFFER_BYTES, Number(before))));
    return before;
  } catch {
    return null; // not ours to set
  }
}

/** The namespace of the servers. */
export class ServerNet {
  #holder;

  /**
   * `steer`: what the kernel does to receive for the swarm runs on that core instead of the one that sends (RPS), where
   * it would be billed to the server. Two machines would not bill it either.
   */
  static async make({ steer = null } = {}) {
    const net = new ServerNet();
    net.#holder = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' });
    process.on('exit', () => net.free());
    await untilSeparate(net.#holder.pid);
    const ip = (...args) => execFileSync('ip', args);
    const inside = (...args) => execFileSync('nsenter', net.prefix().slice(1).concat(args));
    ip('link', 'add', 'swarm0', 'type', 'veth', 'peer', 'name', 'server0', 'netns', String(net.#holder.pid));
    // Both have a loopback of one address: programs try things on it. All of 127/8 on it would hide the other end.
    for (const run of [ip, (...args) => inside('ip', ...args)]) {
      run('link', 'set', 'lo', 'up');
      run('addr', 'del', '127.0.0.1/8', 'dev', 'lo');
      run('addr', 'add', '127.0.0.1/32', 'dev', 'lo');
    }
    inside('sh', '-c', 'echo 1 > /proc/sys/net/ipv4/conf/server0/route_localnet');
    writeFileSync('/proc/sys/net/ipv4/conf/swarm0/route_localnet', '1');
    inside('ip', 'addr', 'add', `${SERVER_ADDRESS}/24`, 'dev', 'server0');
    ip('addr', 'add', `${SWARM_ADDRESS}/24`, 'dev', 'swarm0');
    inside('ip', 'link', 'set', 'server0', 'up');
    ip('link', 'set', 'swarm0', 'up');
    net.isSteered = steer !== null && steerReceiving('swarm0', steer);
    return net;
  }

  /** What to write in front of a command so that it runs there. */
  prefix() {
    return ['nsenter', '-t', String(this.#holder.pid), '-n'];
  }

  /** For programs that enter by themselves (setns). */
  get path() {
    return `/proc/${this.#holder.pid}/ns/net`;
  }

  free() {
    this.#holder.kill('SIGKILL');
  }
}

// /sys shows the devices of the namespace it was mounted in.
function steerReceiving(device, core) {
  const file = `/sys/class/net/${device}/queues/rx-0/rps_cpus`;
  const mask = (1 << core).toString(16);
  return spawnSync('unshare', ['-m', 'sh', '-c', `mount -t sysfs none /sys && echo ${mask} > ${file}`]).status === 0;
}

async function untilSeparate(pid) {
  const link = (who) => execFileSync('readlink', [`/proc/${who}/ns/net`]).toString();
  const own = link('self');
  while (link(pid) === own) await new Promise((resolve) => setTimeout(resolve, 10));
}
