// Whom does this person call, and under which id are they called themselves? (kept in this browser)
// SPDX-License-Identifier: MIT
import { rememberedName, rememberName } from './names.js';

const CONTACTS_KEY = 'roda.contacts';
const SELF_KEY = 'roda.self';
const ID_MAX = 128;

/** An id the server takes: printable ASCII without spaces, and not the name of the media server. */
export function isUserId(text) {
  return /^[!-~]+$/.test(text) && text.length <= ID_MAX && text !== 'sfu';
}

function read(key, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** {id, name} as said on this browser once, or null. */
export function rememberedSelf() {
  const id = read(SELF_KEY, null);
  return isUserId(id ?? '') ? { id, name: rememberedName() } : null;
}

export function rememberSelf({ id, name }) {
  localStorage.setItem(SELF_KEY, JSON.stringify(id));
  rememberName(name);
}

/** {id, name} of the bearer as the token says; who that really is, the server decides. Null: it says nothing. */
export function selfOfToken(token) {
  try {
    const bytes = Uint8Array.from(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')), (c) =>
      c.charCodeAt(0),
    );
    const { sub, name } = JSON.parse(new TextDecoder().decode(bytes));
    return { id: sub, name: name ?? sub };
  } catch {
    return null;
  }
}

/** The list of {id, name}, by name. Every change is kept at once. */
export class Contacts {
  #names = new Map(); // id -> name

  constructor() {
    for (const { id, name } of read(CONTACTS_KEY, [])) if (isUserId(id)) this.#names.set(id, name || id);
  }

  get list() {
    const all = [...this.#names].map(([id, name]) => ({ id, name }));
    return all.sort((a, b) => a.name.localeCompare(b.name) || (a.id < b.id ? -1 : 1));
  }

  /** The name this person gave that id, or else the one it has by itself, or else the id. */
  nameOf(id, otherwise) {
    return this.#names.get(id) ?? (otherwise || id);
  }

  has(id) {
    return this.#names.has(id);
  }

  /** Adds somebody, or gives them another name. */
  set(id, name) {
    this.#names.set(id, name || id);
    this.#keep();
  }

  remove(id) {
    this.#names.delete(id);
    this.#keep();
  }

  #keep() {
    localStorage.setItem(CONTACTS_KEY, JSON.stringify(this.list));
  }
}
