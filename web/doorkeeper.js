// How does the host see who waits, let them in, and close the door?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon } from './icons.js';
import { RoomPassword } from './password.js';
import { hue, initials } from './tile.js';

/** A checkbox that looks like a switch. `act(on)` is called when the person turns it. */
function toggle(name, { textKey, hintKey }, act) {
  const input = h('input', { type: 'checkbox', role: 'switch', id: `switch-${name}`, 'data-switch': name });
  input.addEventListener('change', () => act(input.checked));
  const text = h('span', {}, h('strong', { t: textKey }), h('small', { class: 'hush', t: hintKey }));
  return { input, element: h('label', { class: 'switch', for: `switch-${name}` }, text, input) };
}

/** `actions` is {admit(userId?), deny(userId?), update(changes)}; without an id everybody who waits is meant. */
export class Doorkeeper {
  #actions;

  constructor(actions) {
    this.#actions = actions;
    this.count = h('h3', {});
    this.list = h('ul', { class: 'people knocks' });
    this.all = h('button', { class: 'accent', type: 'button', t: 'admitAll', 'data-action': 'admit-all' });
    this.all.addEventListener('click', () => actions.admit());
    this.waiting = h('section', { class: 'waiting-people', hidden: true }, this.count, this.list, this.all);
    this.waitingRoom = toggle('waiting-room', { textKey: 'waitingRoom', hintKey: 'waitingRoomHint' }, (on) =>
      actions.update({ waitingRoom: on }),
    );
    this.lock = toggle('lock', { textKey: 'lockRoom', hintKey: 'lockRoomHint' }, (on) =>
      actions.update({ locked: on }),
    );
    this.password = new RoomPassword((change) => actions.update(change));
    const rules = [this.waitingRoom.element, this.lock.element, this.password.element];
    this.switches = h('section', { class: 'switches' }, ...rules);
    this.element = h('div', { class: 'doorkeeper', hidden: true }, this.waiting, this.switches);
  }

  /** Only a host sees it. `rules` are those of the client, `knocks` [{userId, name}]. */
  show({ isHost, rules, knocks }) {
    this.element.hidden = !isHost;
    this.waitingRoom.input.checked = rules?.waitingRoom === true;
    this.lock.input.checked = rules?.locked === true;
    this.password.show(rules?.hasPassword === true);
    this.waiting.hidden = knocks.length === 0;
    this.all.hidden = knocks.length < 2;
    setText(this.count, 'knockCount', { count: knocks.length });
    const focused = document.activeElement?.dataset.action;
    this.list.replaceChildren(...knocks.map((one) => this.#row(one)));
    if (focused) this.list.querySelector(`[data-action="${CSS.escape(focused)}"]`)?.focus();
  }

  #row({ userId, name }) {
    return h(
      'li',
      { 'data-knock': userId },
      h('span', { class: `avatar tiny hue-${hue(userId)}`, 'aria-hidden': 'true' }, initials(name)),
      h('span', { class: 'who' }, h('span', { class: 'name' }, name)),
      this.#button('admit', 'check', 'admitLabel', { userId, name }), // first: the keyboard comes here
      this.#button('deny', 'close', 'denyLabel', { userId, name }),
    );
  }

  #button(action, iconName, labelKey, { userId, name }) {
    const props = { class: 'round quiet', type: 'button', 'data-action': `${action}/${userId}` };
    const button = h('button', props, icon(iconName));
    setLabel(button, labelKey, { name });
    button.addEventListener('click', () => this.#actions[action](userId));
    return button;
  }
}

/** Over the stage, while the list is not open: who knocks, and the two buttons. */
export class KnockCard {
  #actions;
  #first = null;

  /** `actions` as above, and `open()` for the whole list. */
  constructor(actions) {
    this.#actions = actions;
    this.text = h('p', {});
    this.more = h('button', { class: 'quiet', type: 'button', on: { click: () => actions.open() } });
    const deny = h('button', { type: 'button', t: 'deny', on: { click: () => this.#answer('deny') } });
    const admit = h('button', {
      class: 'accent',
      type: 'button',
      t: 'admit',
      on: { click: () => this.#answer('admit') },
    });
    const choices = h('div', { class: 'choices' }, this.more, deny, admit);
    this.element = h('div', { class: 'knock-card card', role: 'alert', hidden: true }, this.text, choices);
  }

  show(knocks) {
    this.element.hidden = knocks.length === 0;
    if (knocks.length === 0) return;
    if (this.#first?.userId !== knocks[0].userId) setText(this.text, 'knocks', { name: knocks[0].name });
    this.#first = knocks[0];
    this.more.hidden = knocks.length < 2;
    setText(this.more, 'knockMore', { count: knocks.length - 1 });
  }

  #answer(action) {
    this.#actions[action](this.#first.userId);
  }
}
