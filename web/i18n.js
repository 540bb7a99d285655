// In which language does the page speak, and what does it say?
// SPDX-License-Identifier: MIT
import en from './lang/en.js';
import ptBR from './lang/pt-BR.js';

const LANGUAGES = { 'pt-BR': ptBR, en };
const KEY = 'roda.language';

let current = 'en';

/** The first of the wanted languages that we speak; any Portuguese is pt-BR, anything else is English. */
export function chooseLanguage(wanted) {
  for (const tag of wanted) {
    if (/^pt\b/i.test(tag)) return 'pt-BR';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

export function language() {
  return current;
}

export function otherLanguage() {
  return current === 'en' ? 'pt-BR' : 'en';
}

/** Takes the remembered choice, else what the browser prefers. */
export function startLanguage() {
  const remembered = localStorage.getItem(KEY);
  setLanguage(remembered in LANGUAGES ? remembered : chooseLanguage(navigator.languages ?? [navigator.language]));
}

export function setLanguage(tag, { remember = false } = {}) {
  current = tag;
  if (globalThis.document) document.documentElement.lang = tag;
  if (remember) localStorage.setItem(KEY, tag);
}

/** The text of a key, with {name}s filled in. `count` chooses `key_one` over `key` when it is 1. */
export function t(key, params = {}) {
  const texts = LANGUAGES[current];
  const text = (params.count === 1 && texts[`${key}_one`]) || texts[key];
  if (text === undefined) throw new Error(`no text for ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => params[name] ?? '');
}

/** 14:05, as people there write it. */
export function clock(time) {
  return new Intl.DateTimeFormat(current, { hour: '2-digit', minute: '2-digit' }).format(new Date(time));
}

/** The day and time of something past: 12 Nov., 14:05. */
export function day(time) {
  const format = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' };
  return new Intl.DateTimeFormat(current, format).format(new Date(time));
}

/** 75 -> 1 min 15 s; the units are written alike in both languages. */
export function duration(seconds) {
  const [hours, minutes, rest] = [
    Math.floor(seconds / 3600),
    Math.floor(seconds / 60) % 60,
    Math.floor(seconds % 60),
  ];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${rest} s` : `${rest} s`;
}
