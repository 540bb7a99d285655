// Which single keys do something during the call?
// SPDX-License-Identifier: MIT

const KEY = 'roda.shortcuts';

/** [key, i18n key of what it does], in the order the settings show them. */
export const SHORTCUTS = [
  ['M', 'keyMic'],
  ['V', 'keyCamera'],
  ['S', 'keyShare'],
  ['C', 'keyChat'],
  ['P', 'keyPeople'],
  ['?', 'keyHelp'],
  ['Esc', 'keyEscape'],
];

/** Single keys can get in the way of speech input, so they can be turned off (WCAG 2.1.4). */
export function shortcutsEnabled() {
  return localStorage.getItem(KEY) !== 'off';
}

export function enableShortcuts(enabled) {
  localStorage.setItem(KEY, enabled ? 'on' : 'off');
}

/** Calls actions[key] ('m', '?', 'escape', ...) while nobody is typing. Returns the function that stops it. */
export function listen(actions) {
  const onKey = (event) => {
    const key = event.key === 'Escape' ? 'escape' : event.key.toLowerCase();
    const isTyping = event.target.closest?.('input:not([type=checkbox]), textarea, select, [contenteditable], dialog');
    const isPlain = !event.ctrlKey && !event.altKey && !event.metaKey && !event.repeat;
    if (!(key in actions) || !isPlain) return;
    if (key !== 'escape' && (isTyping || !shortcutsEnabled())) return;
    if (key === 'escape' && event.target.closest?.('dialog')) return; // it closes the dialog
    event.preventDefault();
    actions[key]();
  };
  document.addEventListener('keydown', onKey);
  return () => document.removeEventListener('keydown', onKey);
}
