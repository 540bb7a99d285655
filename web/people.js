// Who is in the room, and what may the host do about them?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon } from './icons.js';
import { hue, initials } from './tile.js';

/**
 * `mute(participant)` and `remove(participant)` are called for the host's buttons; `door` is what stands above the
 * list.
 */
export class People {
  #mute;
  #remove;

  constructor({ mute, remove, door }) {
    this.#mute = mute;
    this.#remove = remove;
    this.count = h('p', { class: 'count' });
    this.list = h('ul', { class: 'people' });
    this.element = h('div', { class: 'people-panel' }, door, this.count, this.list);
  }

  focus() {
    this.element.querySelector('button')?.focus();
  }

  /** `self` is {userId, name, isMuted, isVideoEnabled}; `others` the participants of the client. */
  show({ self, others, hostId, isHost }) {
    setText(this.count, 'peopleCount', { count: others.length + 1 });
    const focused = document.activeElement?.dataset.action;
    const rows = [
      this.#row({ ...self, isSelf: true }, hostId),
      ...others.map((one) => this.#row(one, hostId, isHost)),
    ];
    this.list.replaceChildren(...rows);
    // The rows are new; whoever was on a button with the keyboard stays on it.
    if (focused) this.list.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus();
  }

  #row(one, hostId, isHost = false) {
    const name = h('span', { class: 'name' });
    if (one.isSelf) setText(name, 'nameAndYou', { name: one.name });
    else name.textContent = one.name;
    const role = one.userId === hostId ? h('span', { class: 'role', t: 'host' }) : null;
    const marks = [
      icon(one.isMuted ? 'mic-off' : 'mic'),
      icon(one.isVideoEnabled ? 'camera' : 'camera-off'),
      one.isSharingScreen ? icon('screen') : null,
    ].filter(Boolean);
    return h(
      'li',
      { 'data-user': one.userId },
      h('span', { class: `avatar tiny hue-${hue(one.userId)}`, 'aria-hidden': 'true' }, initials(one.name)),
      h('span', { class: 'who' }, name, role),
      h('span', { class: 'marks' }, ...marks),
      ...(isHost && !one.isSelf ? this.#hostButtons(one) : []),
    );
  }

  #hostButtons(one) {
    const { userId, name } = one;
    const button = (action, iconName, labelKey, act) => {
      const element = h(
        'button',
        { class: 'round quiet', type: 'button', 'data-action': `${action}/${userId}` },
        icon(iconName),
      );
      setLabel(element, labelKey, { name });
      element.addEventListener('click', act);
      return element;
    };
    const mute = button('mute', 'mic-off', 'muteOther', () => this.#mute(one));
    mute.disabled = one.isMuted;
    return [mute, button('remove', 'remove', 'removeOther', () => this.#remove(one))];
  }
}
