// How are the programs of a bench run, and what do they use?
// SPDX-License-Identifier: MIT
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const running = new Set(); // they have sessions of their own, so nobody else ends them
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

// What is measured comes before whatever else this machine does, where we may say so: a session is the scheduler's
// unit (sched_autogroup), with a nice value of its own.
function putFirst(pid) {
  try {
    writeFileSync(`/proc/${pid}/autogroup`, '-19');
  } catch {
    // not allowed, or no such thing in this kernel
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let realtime = false;

/** On a machine that others use too: what is measured preempts them at once (SCHED_FIFO), as if they were not there. */
export function preferRealtime() {
  realtime = true;
}

/** A server under test: started in front of a prefix (namespace, core), its last lines of output kept. */
export class Program {
  #child;
  #said = [];
  #waiting = [];

  constructor(command, { prefix = [], core = null, env = {}, stdin = 'ignore' } = {}) {
    const pin = [...(core === null ? [] : ['taskset', '-c', String(core)]), ...(realtime ? ['chrt', '-f', '1'] : [])];
    const [file, ...args] = [...prefix, ...pin, ...command];
    this.#child = spawn(file, args, { stdio: [stdin, 'pipe', 'pipe'], env: { ...process.env, ...env }, detached: true });
    running.add(this.#child);
    putFirst(this.#child.pid);
    this.exited = new Promise((resolve) => this.#child.on('close', resolve)); // ended, and all it said is read
    this.exited.then(() => running.delete(this.#child));
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream.setEncoding('utf8');
    this.#child.stderr.on('data', (text) => this.#hear(text));
  }

  /** Lines of its standard output, to the callback; without one they are kept like those of stderr. */
  readLines(callback) {
    let rest = '';
    this.#child.stdout.on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      lines.forEach(callback);
    });
  }

  keepOutput() {
    this.#child.stdout.on('data', (text) => this.#hear(text));
  }

  #hear(text) {
    this.#said.push(text);
    if (this.#said.length > 400) this.#said.splice(0, 200);
    for (const waiting of this.#waiting) waiting();
  }

  get pid() {
    return this.#child.pid; // nsenter and taskset become what they start
  }

  get said() {
    return this.#said.join('');
  }

  write(text) {
    this.#child.stdin.write(text);
  }

  endInput() {
    this.#child.stdin.end();
  }

  async stop(signal = 'SIGTERM', patienceMs = 5000) {
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    await this.exited;
    clearTimeout(timer);
  }
}

/** CPU of a process so far, threads included: seconds by the scheduler's clock (ns) and by utime + stime (ticks). */
export function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  let ns = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // a thread that has just ended, or a kernel without the file
    }
  }
  const userShare = ticks ? Number(fields[11]) / ticks : 0;
  return { ticksS: ticks / 100, exactS: ns / 1e9, userShare };
}

/** CPU time of the thread a program begins with, in seconds. */
export function mainThreadS(pid) {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e9;
}

/** Resident memory in KiB. */
export function memoryOf(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

/** Calls until it gives something, or throws after a while. */
export async function until(what, ask, { patienceMs = 20000, stepMs = 50 } = {}) {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(stepMs);
  }
}
