// What is written in the room?
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { clock, t } from './i18n.js';
import { hue, initials } from './tile.js';

const TEXT_MAX = 4000; // the server refuses more
const KEPT = 500; // messages shown; the oldest go first
const SAME_SPEAKER_MS = 120_000; // within this a second message needs no second header
const LINK = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

// Text with its links made clickable; nothing of it is ever parsed as HTML.
function withLinks(text) {
  const parts = [];
  let from = 0;
  for (const { 0: href, index } of text.matchAll(LINK)) {
    parts.push(text.slice(from, index), h('a', { href, target: '_blank', rel: 'noopener noreferrer' }, href));
    from = index + href.length;
  }
  parts.push(text.slice(from));
  return parts;
}

/** `send(text)` returns a promise; a text that was refused stays in the field. */
export class Chat {
  #send;
  #last = null; // {userId, time} of the newest message

  constructor({ send }) {
    this.#send = send;
    this.empty = h('p', { class: 'empty', t: 'chatEmpty' });
    this.list = h('ol', { class: 'messages', role: 'log', 'aria-live': 'polite' });
    this.input = h('textarea', { rows: 1, maxlength: TEXT_MAX, placeholder: 'write', label: 'write' });
    this.problem = h('p', { class: 'problem', role: 'alert', hidden: true });
    const button = h('button', { class: 'round accent', type: 'submit', label: 'send' }, icon('send'));
    const form = h('form', { class: 'compose', on: { submit: (event) => this.#submit(event) } }, this.input, button);
    this.input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.#submit(event);
    });
    this.input.addEventListener('input', () => this.#grow());
    this.element = h('div', { class: 'chat' }, this.empty, this.list, this.problem, form);
  }

  focus() {
    this.input.focus();
  }

  /** `isSelf` puts it on our side. */
  add({ userId, name, text, timestamp = Date.now(), isSelf = false }) {
    this.empty.hidden = true;
    const time = new Date(timestamp).getTime() || Date.now();
    const follows = this.#last?.userId === userId && time - this.#last.time < SAME_SPEAKER_MS;
    this.#last = { userId, time };
    const shownName = isSelf ? t('you') : name;
    const header = h(
      'p',
      { class: 'who' },
      h('span', { class: `avatar tiny hue-${hue(userId)}`, 'aria-hidden': 'true' }, initials(name)),
      h('span', {}, shownName),
      h('time', { datetime: new Date(time).toISOString() }, clock(time)),
    );
    const item = h(
      'li',
      { class: isSelf ? 'own' : '' },
      follows ? null : header,
      h('p', { class: 'text' }, ...withLinks(text)),
    );
    const atEnd = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 80;
    this.list.append(item);
    if (this.list.children.length > KEPT) this.list.firstElementChild.remove();
    if (atEnd || isSelf) this.list.scrollTop = this.list.scrollHeight;
  }

  async #submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = '';
    this.#grow();
    this.problem.hidden = true;
    try {
      await this.#send(text);
    } catch {
      if (!this.input.value) this.input.value = text;
      setText(this.problem, 'chatFailed');
      this.problem.hidden = false;
    }
  }

  #grow() {
    this.input.style.height = 'auto';
    this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
  }
}
