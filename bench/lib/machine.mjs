// On what was it measured?
// SPDX-License-Identifier: MIT
import { execSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

const FLAGS = ['aes', 'pclmulqdq', 'avx2', 'avx512f', 'vaes', 'vpclmulqdq', 'gfni', 'sha_ni', 'asimd', 'pmull'];

const said = (command) => {
  try {
    return execSync(command, { stdio: ['ignore', 'pipe', 'ignore'] }).toString().trim();
  } catch {
    return '';
  }
};

const packageVersion = (name) => said(`dpkg-query -W -f '\${Version}' ${name}`) || undefined;

export function describeMachine(root) {
  const flags = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1].split(' ') ?? [];
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    cpu_flags: FLAGS.filter((flag) => flags.includes(flag)),
    memory_gib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    virtual: /\bhypervisor\b/.test(flags.join(' ')),
    node: process.version,
    roda: said(`git -C ${root} describe --always --dirty`),
    libsrtp2: packageVersion('libsrtp2-1'),
    ipsec_mb: packageVersion('libipsec-mb1'),
    openssl: packageVersion('libssl3'),
    libnice: packageVersion('libnice10'),
    janus: packageVersion('janus'),
    receive_buffer: Number(process.env.RODA_BENCH_RMEM ?? 0) || undefined,
  };
}

/** Share of the machine's CPU that others use, looked at for a moment: figures of a busy machine are not worth much. */
export async function busyShare(ms = 500) {
  const look = () => {
    const [, ...ticks] = readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/\s+/);
    const all = ticks.slice(0, 8).reduce((sum, n) => sum + Number(n), 0);
    return { all, idle: Number(ticks[3]) + Number(ticks[4]) };
  };
  const before = look();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = look();
  return 1 - (after.idle - before.idle) / Math.max(1, after.all - before.all);
}
