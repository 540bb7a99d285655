// Whom can I call, and who has called me? (contacts and history)
// SPDX-License-Identifier: MIT
import { isUserId } from './contacts.js';
import { h, setLabel, setText } from './dom.js';
import { History } from './history.js';
import { icon, logo } from './icons.js';
import { NAME_MAX } from './names.js';
import { ask } from './notices.js';
import { askToNotify, notifyState } from './notify.js';
import { languageButton } from './settings.js';
import { hue, initials } from './tile.js';

/**
 * The page of calls. `self` is {id, name}; `contacts` the Contacts; `calls` the client's; `call(ids, type)` is what a
 * button asks for.
 */
export class Phone {
  #contacts;
  #self;
  #call;
  #picked = new Set();

  constructor({ self, contacts, calls, call, changeSelf }) {
    this.#contacts = contacts;
    this.#self = self;
    this.#call = call;
    this.state = h('span', { class: 'state', role: 'status' });
    this.news = h('div', { class: 'news', role: 'status', 'aria-live': 'polite' });
    this.list = h('ul', { class: 'contacts' });
    this.empty = h('p', { class: 'hush', t: 'contactsEmpty' });
    this.history = new History({ self, contacts, calls, call, add: (one) => this.#edit(one) });
    this.element = h(
      'div',
      { class: 'view phone' },
      h(
        'header',
        { class: 'bar' },
        h('a', { class: 'brand', href: '/' }, logo(), 'Roda'),
        this.state,
        languageButton(),
      ),
      h(
        'main',
        {},
        h('div', { class: 'lead-in' }, h('h1', { t: 'calls', tabindex: -1 }), this.#buildSelf(changeSelf), this.news),
        this.#buildContacts(),
        this.history.element,
      ),
    );
    this.#show();
  }

  close() {
    this.history.close();
  }

  showState(status) {
    const isReady = status === 'connected' || status === 'joined';
    setText(this.state, isReady ? 'reachable' : 'connecting');
    this.state.classList.toggle('good', isReady);
  }

  /** What has just happened, in a box that stays: a key of i18n; `again` calls once more. */
  tell(key, params, again = null) {
    const text = h('span');
    setText(text, key, params);
    const more =
      again &&
      h('button', { class: 'quiet', type: 'button', 'data-action': 'again', t: 'callAgain', on: { click: again } });
    this.news.replaceChildren(h('p', { class: 'news-item' }, text, more ?? ''));
  }

  // ---- building

  #buildSelf(changeSelf) {
    const id = h('code', {}, this.#self.id);
    const text = h('span', { class: 'hush', t: 'yourId' });
    const change =
      changeSelf &&
      h(
        'button',
        { class: 'round quiet', type: 'button', label: 'changeSelf', on: { click: changeSelf } },
        icon('edit'),
      );
    this.notify = h(
      'button',
      { class: 'quiet', type: 'button', 'data-action': 'notify', hidden: notifyState() !== 'default' },
      icon('bell'),
      h('span', { t: 'notifyMe' }),
    );
    this.notify.addEventListener('click', async () => {
      this.notify.hidden = (await askToNotify()) !== 'default';
    });
    return h('p', { class: 'self' }, h('strong', {}, this.#self.name), ' ', text, ' ', id, change, this.notify);
  }

  #buildContacts() {
    this.callPicked = h(
      'div',
      { class: 'picked', hidden: true },
      (this.pickedCount = h('span', { role: 'status' })),
      this.#pickedButton('AUDIO', 'phone', 'audioCall'),
      this.#pickedButton('VIDEO', 'camera', 'videoCall'),
    );
    return h(
      'section',
      { class: 'card', 'aria-labelledby': 'contacts-title' },
      h('h2', { id: 'contacts-title', t: 'contacts' }),
      this.empty,
      this.list,
      this.callPicked,
      this.#buildForm(),
    );
  }

  #pickedButton(type, iconName, key) {
    const props = { type: 'button', class: type === 'VIDEO' ? 'accent' : '', 'data-action': `picked-${type}` };
    const button = h('button', props, icon(iconName), h('span', { t: key }));
    button.addEventListener('click', () => this.#call([...this.#picked], type));
    return button;
  }

  #buildForm() {
    const field = (id, label, placeholder, maxlength) =>
      h('input', {
        id,
        label,
        placeholder,
        maxlength,
        autocomplete: 'off',
        autocapitalize: 'none',
        spellcheck: 'false',
      });
    const id = field('contact-id', 'contactId', 'contactIdHint', 128);
    const name = field('contact-name', 'contactName', 'contactNameHint', NAME_MAX);
    const problem = h('p', { class: 'problem', role: 'alert', hidden: true, id: 'contact-problem' });
    id.setAttribute('aria-describedby', problem.id);
    const form = h(
      'form',
      { class: 'add-contact', novalidate: true },
      h('h3', { t: 'addContact' }),
      id,
      name,
      h('button', { type: 'submit' }, icon('add'), h('span', { t: 'add' })),
      problem,
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const key = this.#fault(id.value.trim());
      problem.hidden = !key;
      id.setAttribute('aria-invalid', String(Boolean(key)));
      if (key) setText(problem, key);
      if (key) return id.focus();
      this.#contacts.set(id.value.trim(), name.value.trim());
      form.reset();
      id.focus();
      this.#show();
    });
    return form;
  }

  #fault(id) {
    if (!isUserId(id)) return 'badId';
    return id === this.#self.id ? 'ownId' : null;
  }

  // ---- the list

  #show() {
    const { list } = this.#contacts;
    this.empty.hidden = list.length > 0;
    for (const id of this.#picked) if (!this.#contacts.has(id)) this.#picked.delete(id);
    this.list.replaceChildren(...list.map((one) => this.#row(one)));
    this.#showPicked();
    this.history.show();
  }

  #row({ id, name }) {
    const pick = h('input', { type: 'checkbox' });
    setLabel(pick, 'pick', { name });
    pick.checked = this.#picked.has(id);
    pick.addEventListener('change', () => {
      if (pick.checked) this.#picked.add(id);
      else this.#picked.delete(id);
      this.#showPicked();
    });
    const button = (action, iconName, key, act, kind = 'quiet') => {
      const element = h('button', { class: `round ${kind}`, type: 'button', 'data-action': action }, icon(iconName));
      setLabel(element, key, { name });
      element.addEventListener('click', act);
      return element;
    };
    return h(
      'li',
      { 'data-user': id },
      h('label', { class: 'pick' }, pick),
      h('span', { class: `avatar tiny hue-${hue(id)}`, 'aria-hidden': 'true' }, initials(name)),
      h('span', { class: 'who' }, h('span', { class: 'name' }, name), name === id ? null : h('small', {}, id)),
      button('edit', 'edit', 'editContact', () => this.#edit({ id, name })),
      button('call-audio', 'phone', 'callByAudio', () => this.#call([id], 'AUDIO')),
      button('call-video', 'camera', 'callByVideo', () => this.#call([id], 'VIDEO'), 'accent'),
    );
  }

  #showPicked() {
    this.callPicked.hidden = this.#picked.size === 0;
    setText(this.pickedCount, 'pickedCount', { count: this.#picked.size });
  }

  async #edit({ id, name }) {
    const input = h('input', { id: 'edit-name', maxlength: NAME_MAX, autocomplete: 'off', label: 'contactName' });
    input.value = name;
    const choices = [
      ...(this.#contacts.has(id) ? [{ value: 'remove', key: 'removeContact', kind: 'danger' }] : []),
      { value: '', key: 'cancel' },
      { value: 'save', key: 'save', kind: 'accent' },
    ];
    const answer = await ask({ titleKey: 'editTitle', textKey: 'editText', params: { id }, choices, field: input });
    if (answer === 'remove') this.#contacts.remove(id);
    if (answer === 'save') this.#contacts.set(id, input.value.trim());
    if (answer) this.#show();
  }
}

/** The form that asks, once, under which id one is called. `done({id, name})` follows. */
export function selfForm({ self, done }) {
  const input = (id, label, value, maxlength, autocomplete) => {
    const element = h('input', { id, maxlength, autocomplete, autocapitalize: 'none', spellcheck: 'false' });
    element.value = value;
    return [h('label', { for: id, t: label }), element];
  };
  const [nameLabel, name] = input('self-name', 'yourName', self?.name ?? '', NAME_MAX, 'name');
  const [idLabel, id] = input('self-id', 'ownIdLabel', self?.id ?? '', 128, 'username');
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true, id: 'self-problem' });
  id.setAttribute('aria-describedby', problem.id);
  const form = h(
    'form',
    { class: 'card self-form', novalidate: true },
    h('h1', { t: 'whoAreYou', tabindex: -1 }),
    h('p', { class: 'hush', t: 'whoAreYouText' }),
    nameLabel,
    name,
    idLabel,
    id,
    problem,
    h('button', { class: 'accent large submit', type: 'submit', t: 'goOn' }),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const said = { id: id.value.trim(), name: name.value.trim() };
    const key = !said.name ? 'nameMissing' : !isUserId(said.id) ? 'badId' : null;
    problem.hidden = !key;
    if (key) setText(problem, key);
    if (key) return (said.name ? id : name).focus();
    done(said);
  });
  return h(
    'div',
    { class: 'view phone' },
    h('header', { class: 'bar' }, h('a', { class: 'brand', href: '/' }, logo(), 'Roda'), languageButton()),
    h('main', { class: 'narrow' }, form),
  );
}
