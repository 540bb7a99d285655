// How does a driver speak to the swarm? (bench/load/control.h)
// SPDX-License-Identifier: MIT
import { Program } from './process.mjs';

/** One process full of participants. `pc` numbers are given out by open(). */
export class Swarm {
  #program;
  #lastPc = 0;
  #answers = new Map(); // "pc kind" -> resolve
  #connected = new Map(); // pc -> {promise, resolve}
  #result = null;
  #failed;

  constructor(path, options, { core, address }) {
    const args = ['--address', address];
    for (const [key, value] of Object.entries(options)) args.push(...(value === true ? [`--${key}`] : [`--${key}`, String(value)]));
    this.#program = new Program([path, ...args], { core, stdin: 'pipe' });
    this.#program.readLines((line) => this.#receive(JSON.parse(line)));
    this.failed = new Promise((_, reject) => (this.#failed = reject));
    this.failed.catch(() => {});
    this.#program.exited.then((status) => this.#failed(new Error(`the swarm ended (${status}): ${this.#program.said}`)));
  }

  get pid() {
    return this.#program.pid;
  }

  #send(command) {
    this.#program.write(`${JSON.stringify(command)}\n`);
  }

  #receive({ pc, offer, answer, connected, result, error }) {
    if (error) return this.#failed(new Error(`swarm: ${error}`));
    if (result) return this.#result(result);
    if (connected) return this.#connected.get(pc).resolve();
    const kind = offer ? 'offer' : 'answer';
    this.#answers.get(`${pc} ${kind}`)(offer ?? answer);
    this.#answers.delete(`${pc} ${kind}`);
  }

  #ask(pc, kind, command) {
    const answer = new Promise((resolve) => this.#answers.set(`${pc} ${kind}`, resolve));
    this.#send(command);
    return Promise.race([answer, this.failed]);
  }

  open({ audio = false, video = false } = {}) {
    const pc = ++this.#lastPc;
    const waiting = {};
    waiting.promise = new Promise((resolve) => (waiting.resolve = resolve));
    this.#connected.set(pc, waiting);
    this.#send({ do: 'open', pc, audio, video });
    return pc;
  }

  offer(pc) {
    return this.#ask(pc, 'offer', { do: 'offer', pc });
  }

  answer(pc, sdp) {
    return this.#ask(pc, 'answer', { do: 'answer', pc, sdp });
  }

  take(pc, sdp) {
    this.#send({ do: 'take', pc, sdp });
  }

  candidate(pc, candidate) {
    this.#send({ do: 'candidate', pc, candidate });
  }

  close(pc) {
    this.#send({ do: 'close', pc });
  }

  async connected(pc, patienceMs = 30000) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`connection ${pc} did not come up`)), patienceMs);
    });
    await Promise.race([this.#connected.get(pc).promise, this.failed, late]);
    clearTimeout(timer);
  }

  begin() {
    this.#send({ do: 'begin' });
  }

  end() {
    const result = new Promise((resolve) => (this.#result = resolve));
    this.#send({ do: 'end' });
    return Promise.race([result, this.failed]);
  }

  async stop() {
    this.#program.endInput();
    await this.#program.exited;
  }
}
