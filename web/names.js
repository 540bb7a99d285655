// What is this person called, the next time as well?
// SPDX-License-Identifier: MIT

const KEY = 'roda.name';

export const NAME_MAX = 60;

export function rememberedName() {
  return localStorage.getItem(KEY) ?? '';
}

export function rememberName(name) {
  localStorage.setItem(KEY, name);
}
