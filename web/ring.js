// Somebody calls: do I answer, and how?
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { ring } from './ringtone.js';
import { hue, initials } from './tile.js';

const REASONS = ['', 'reasonBusy', 'reasonLater', 'reasonMessage']; // '': none is given
const REASON_MAX = 120;

/**
 * The window of a call that rings. `accept({camera})` and `decline(reason)` are what the person chose; `nameOf(id,
 * otherwise)` says who calls.
 */
export class Ring {
  #stopSound;

  constructor({ call, nameOf, accept, decline }) {
    this.call = call;
    const name = nameOf(call.initiatorId, call.initiatorName);
    const isVideo = call.type === 'VIDEO';
    const choose = (action) => () => {
      this.silence();
      for (const button of this.element.querySelectorAll('button')) button.disabled = true;
      action();
    };
    const button = (action, kind, iconName, key, act) =>
      h(
        'button',
        { class: `answer ${kind}`, type: 'button', 'data-action': action, on: { click: choose(act) } },
        icon(iconName),
        h('span', { t: key }),
      );
    const accepts = [
      button('accept', 'accent', isVideo ? 'camera' : 'phone', 'accept', () => accept({ camera: isVideo })),
      isVideo && button('accept-audio', '', 'camera-off', 'acceptAudio', () => accept({ camera: false })),
    ];
    const declines = button('decline', 'danger', 'leave', 'decline', () => decline(this.#reason()));
    this.element = h(
      'dialog',
      { class: 'ring', role: 'alertdialog', 'aria-labelledby': 'ring-who', 'aria-describedby': 'ring-what' },
      h('span', { class: `avatar calling hue-${hue(call.initiatorId)}`, 'aria-hidden': 'true' }, initials(name)),
      h('h2', { id: 'ring-who' }, name),
      h('p', { id: 'ring-what', class: 'hush', t: isVideo ? 'callsVideo' : 'callsAudio' }),
      this.#buildOthers(nameOf),
      h('div', { class: 'answers' }, declines, ...accepts),
      this.#buildReason(),
    );
    // Esc must not hide a call. Prevented as a key it never gets to `cancel`, which a browser lets be prevented only once.
    this.element.addEventListener('keydown', (event) => event.key === 'Escape' && event.preventDefault());
    this.element.addEventListener('cancel', (event) => event.preventDefault());
    this.element.addEventListener('close', () => this.element.isConnected && this.element.showModal());
    this.#stopSound = ring('incoming');
  }

  /** Shows it over whatever is there. */
  open() {
    document.body.append(this.element);
    this.element.showModal();
    this.element.querySelector('[data-action=accept]').focus();
  }

  silence() {
    this.#stopSound();
  }

  close() {
    this.silence();
    this.element.remove(); // before its `close`, which opens it again
  }

  #buildOthers(nameOf) {
    const others = this.call.participants.filter(({ userId }) => userId !== this.call.initiatorId);
    if (others.length < 2) return null;
    const text = h('p', { class: 'hush' });
    const names = others.map(({ userId, userName }) => nameOf(userId, userName)).join(', ');
    setText(text, 'calledToo', { names });
    return text;
  }

  #buildReason() {
    this.why = h('select', { id: 'ring-reason' }, ...REASONS.map((key) => this.#option(key)));
    this.own = h('input', {
      id: 'ring-own-reason',
      maxlength: REASON_MAX,
      hidden: true,
      autocomplete: 'off',
      label: 'reasonMessage',
      placeholder: 'reasonHint',
    });
    this.why.addEventListener('change', () => {
      this.own.hidden = this.why.value !== 'reasonMessage';
      if (!this.own.hidden) this.own.focus();
    });
    return h('div', { class: 'reason' }, h('label', { for: 'ring-reason', t: 'declineReason' }), this.why, this.own);
  }

  #option(key) {
    return h('option', { value: key, t: key || 'reasonNone' });
  }

  #reason() {
    const { value } = this.why;
    if (value === 'reasonMessage') return this.own.value.trim();
    return value ? t(value) : '';
  }
}
