// How does the host set, change and remove the password of the room?
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';

const MIN = 4; // characters, as the server wants them
const MAX = 128;

/** `update({password})` is called with a text, or null for none. */
export class RoomPassword {
  #update;

  constructor(update) {
    this.#update = update;
    this.hint = h('small', { class: 'hush', t: 'passwordOff' });
    this.edit = this.#button('passwordSet', 'password-edit', () => this.#open());
    this.remove = this.#button('passwordRemove', 'password-remove', () => this.#remove());
    const text = h('span', {}, h('strong', { t: 'roomPassword' }), this.hint);
    const buttons = h('div', { class: 'pair' }, this.remove, this.edit);
    this.row = h('div', { class: 'switch', role: 'group', label: 'roomPassword' }, text, buttons);
    this.#buildForm();
    this.element = h('div', { class: 'room-password' }, this.row, this.form);
  }

  show(hasPassword) {
    setText(this.hint, hasPassword ? 'passwordOn' : 'passwordOff');
    setText(this.edit, hasPassword ? 'passwordChange' : 'passwordSet');
    this.remove.hidden = !hasPassword;
  }

  #buildForm() {
    // In the clear: it is there to be told to others, and the host is alone with this panel.
    this.input = h('input', {
      id: 'room-password',
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      maxlength: MAX,
      'aria-describedby': 'room-password-problem',
    });
    this.problem = h('p', { class: 'problem', id: 'room-password-problem', role: 'alert', hidden: true });
    const save = h('button', { class: 'accent', type: 'submit', t: 'passwordSave' });
    this.form = h(
      'form',
      { class: 'edit', novalidate: true, hidden: true },
      h('label', { for: 'room-password', t: 'passwordNew' }),
      this.input,
      this.problem,
      h('div', { class: 'pair' }, this.#button('cancel', 'password-cancel', () => this.#close()), save),
    );
    this.form.addEventListener('submit', (event) => this.#submitted(event));
    this.form.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation(); // the panel stays
      this.#close();
    });
  }

  #button(key, action, click) {
    return h('button', { class: 'quiet', type: 'button', t: key, 'data-action': action, on: { click } });
  }

  #open() {
    this.row.hidden = true;
    this.form.hidden = false;
    this.input.focus();
  }

  #close() {
    this.input.value = '';
    this.problem.hidden = true;
    this.form.hidden = true;
    this.row.hidden = false;
    this.edit.focus();
  }

  #remove() {
    this.edit.focus(); // the button that was pressed goes
    this.#update({ password: null });
  }

  #submitted(event) {
    event.preventDefault();
    const password = this.input.value;
    const isShort = [...password].length < MIN;
    this.problem.hidden = !isShort;
    this.input.setAttribute('aria-invalid', String(isShort));
    if (isShort) {
      setText(this.problem, 'passwordShort', { count: MIN });
      return this.input.focus();
    }
    this.#close();
    this.#update({ password });
  }
}
