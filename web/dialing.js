// I call: whom does it ring for, and who has answered what?
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { ring } from './ringtone.js';
import { languageButton } from './settings.js';
import { hue, initials } from './tile.js';

const STATES = {
  RINGING: 'memberRinging',
  JOINED: 'memberJoined',
  DECLINED: 'memberDeclined',
  BUSY: 'memberBusy',
  MISSED: 'memberMissed',
  LEFT: 'memberLeft',
};

/** The view while nobody has answered yet. `cancel()` hangs up; `nameOf(id, otherwise)` says who is called. */
export class Dialing {
  #nameOf;
  #selfId;
  #stopSound;

  constructor({ users, isVideo, selfId, nameOf, cancel }) {
    this.#nameOf = nameOf;
    this.#selfId = selfId;
    this.list = h('ul', { class: 'called' });
    this.hangUp = h(
      'button',
      { class: 'danger large', type: 'button', 'data-action': 'cancel', on: { click: () => this.#cancel(cancel) } },
      icon('leave'),
      h('span', { t: 'cancelCall' }),
    );
    this.element = h(
      'div',
      { class: 'view dialing' },
      h('header', { class: 'bar' }, languageButton()),
      h('main', {}, h('h1', { t: isVideo ? 'callingVideo' : 'callingAudio', tabindex: -1 }), this.list, this.hangUp),
    );
    this.show(users.map((userId) => ({ userId, status: 'RINGING' })));
    this.#stopSound = ring('outgoing');
  }

  /** `participants` of the call, as it is now. */
  show(participants) {
    const called = participants.filter(({ userId }) => userId !== this.#selfId);
    this.list.replaceChildren(...called.map((one) => this.#row(one)));
  }

  close() {
    this.#stopSound();
  }

  #row({ userId, userName, status }) {
    const name = this.#nameOf(userId, userName);
    const state = h('span', { class: 'hush', role: 'status' });
    setText(state, STATES[status] ?? 'memberRinging');
    const calling = status === 'RINGING' ? ' calling' : '';
    return h(
      'li',
      { 'data-user': userId, 'data-status': status },
      h('span', { class: `avatar hue-${hue(userId)}${calling}`, 'aria-hidden': 'true' }, initials(name)),
      h('strong', {}, name),
      state,
    );
  }

  #cancel(cancel) {
    this.hangUp.disabled = true;
    this.#stopSound();
    cancel();
  }
}
