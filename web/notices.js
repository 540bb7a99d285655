// What must the person be told right now? (passing notes, a lasting banner, a question)
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon } from './icons.js';

const NOTE_MS = 5000;
const NOTES_MAX = 3;

/** Notes that come and go in a corner; screen readers say them. */
export class Notes {
  constructor() {
    this.element = h('div', { class: 'notes', role: 'status', 'aria-live': 'polite' });
  }

  show(key, params) {
    const text = h('span');
    setText(text, key, params);
    const note = h('p', { class: 'note' }, text);
    this.element.append(note);
    if (this.element.children.length > NOTES_MAX) this.element.firstElementChild.remove();
    setTimeout(() => note.remove(), NOTE_MS);
  }
}

/**
 * A modal question. Resolves with the value of the button that was pressed, or null (Esc). `field` is something to fill
 * in; Enter in it presses the last button.
 */
export function ask({ titleKey, textKey, params, choices, field = null }) {
  const title = h('h2', { id: 'question' });
  const text = h('p');
  setText(title, titleKey, params);
  setText(text, textKey, params);
  const buttons = choices.map(({ value, key, kind = '' }) => h('button', { class: kind, value, t: key }));
  const form = h('form', { method: 'dialog' }, title, text, field, h('div', { class: 'choices' }, ...buttons));
  field?.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.target.localName !== 'input') return;
    event.preventDefault();
    form.requestSubmit(buttons.at(-1));
  });
  const dialog = h('dialog', { class: 'question', 'aria-labelledby': 'question' }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue || null);
    });
    dialog.showModal();
  });
}

/** One line over everything else while something lasts; `show(null)` takes it away. */
export class Banner {
  constructor() {
    this.text = h('span');
    this.element = h(
      'p',
      { class: 'banner', role: 'status', hidden: true },
      h('span', { class: 'spinner' }),
      this.text,
    );
  }

  show(key) {
    this.element.hidden = key === null;
    if (key) setText(this.text, key);
  }
}

/** A box with an icon that says what is wrong and what helps. */
export function problem(key, params, ...more) {
  const text = h('p');
  setText(text, key, params);
  return h('div', { class: 'problem-box', role: 'alert' }, icon('alert'), h('div', {}, text, ...more));
}
