// What does the room ask of its guests, and who waits to be let in? (as the client knows it)
// SPDX-License-Identifier: MIT

/** `emit(type, detail)` tells of `knocks` and `room-changed`. */
export class Door {
  rules = null;
  knocks = new Map(); // userId -> {userId, name}
  #emit;

  constructor(emit) {
    this.#emit = emit;
  }

  /** We are in, or out (null). A host is told again who waits. */
  reset(rules = null) {
    this.rules = rules;
    this.knocks.clear();
  }

  receive(event, data) {
    if (event === 'knock') this.#knocked(data);
    if (event === 'knock-ended' && this.knocks.delete(data.userId)) this.#tell();
    if (event === 'room-changed') this.#changed(data);
  }

  #knocked({ userId, name }) {
    const isNew = !this.knocks.has(userId);
    this.knocks.set(userId, { userId, name });
    this.#tell(isNew ? name : null);
  }

  #changed({ by, name, locked, waitingRoom, maxParticipants, hasPassword }) {
    this.rules = { name, locked, waitingRoom, maxParticipants, hasPassword };
    this.#emit('room-changed', { ...this.rules, by });
  }

  #tell(name = null) {
    this.#emit('knocks', { knocks: [...this.knocks.values()], name });
  }
}
