// Which devices, which language, which keys? (the settings window, and the device lists the lobby shares)
// SPDX-License-Identifier: MIT
import { canChooseSpeaker } from './devices.js';
import { h, translate } from './dom.js';
import { icon } from './icons.js';
import { language, otherLanguage, setLanguage, t } from './i18n.js';
import { SHORTCUTS, enableShortcuts, shortcutsEnabled } from './shortcuts.js';

/** A button that changes the language at once, everywhere on the page. */
export function languageButton() {
  const name = h('span', { t: 'otherLanguageName', lang: otherLanguage() });
  const button = h(
    'button',
    { class: 'quiet language', type: 'button', label: 'changeLanguage' },
    icon('globe'),
    name,
  );
  button.addEventListener('click', () => {
    setLanguage(otherLanguage(), { remember: true });
    name.lang = otherLanguage();
    document.title = t('title');
    translate(document);
    document.dispatchEvent(new CustomEvent('language', { detail: language() }));
  });
  return button;
}

/** Lists to choose camera, microphone and loudspeaker from. `onChange(source)` follows a choice. */
export class DeviceLists {
  #devices;
  #lists = {};

  constructor({ devices, onChange }) {
    this.#devices = devices;
    const sources = ['microphone', 'camera', ...(canChooseSpeaker() ? ['speaker'] : [])];
    const fields = sources.map((source) => this.#field(source, onChange));
    this.element = h('div', { class: 'devices' }, ...fields);
  }

  async refresh() {
    const known = await this.#devices.list();
    for (const [source, list] of Object.entries(this.#lists)) this.#fill(source, list, known[source]);
  }

  #field(source, onChange) {
    const list = h('select', { id: `device-${source}` });
    this.#lists[source] = list;
    list.addEventListener('change', () => {
      this.#devices.choose(source, list.value);
      onChange(source);
    });
    const iconName = { microphone: 'mic', camera: 'camera', speaker: 'sound' }[source];
    return h(
      'label',
      { class: 'device', for: list.id },
      icon(iconName),
      h('span', { class: 'hush', t: source }),
      list,
    );
  }

  #fill(source, list, known) {
    const named = known.filter(({ label }) => label);
    const options = named.map(({ id, label }) => h('option', { value: id }, label));
    const first = h('option', {
      value: '',
      t: named.length > 0 || source === 'speaker' ? 'defaultDevice' : 'noDevice',
    });
    list.replaceChildren(first, ...options);
    const chosen = this.#devices.chosen(source);
    list.value = named.some(({ id }) => id === chosen) ? chosen : '';
    list.disabled = named.length === 0;
  }
}

function shortcutList() {
  const rows = SHORTCUTS.map(([key, text]) => h('li', {}, h('kbd', {}, key), h('span', { t: text })));
  const box = h('input', { type: 'checkbox', id: 'shortcuts-on' });
  box.checked = shortcutsEnabled();
  box.addEventListener('change', () => enableShortcuts(box.checked));
  const toggle = h('label', { class: 'check', for: box.id }, box, h('span', { t: 'shortcutsOn' }));
  return h('section', {}, h('h3', { t: 'shortcuts' }), h('ul', { class: 'keys' }, ...rows), toggle);
}

/** Opens the settings window; `onDevice(source)` follows a choice. */
export async function openSettings({ devices, onDevice }) {
  const lists = new DeviceLists({ devices, onChange: onDevice });
  const done = h('button', { class: 'accent', value: 'done', t: 'done' });
  const header = h('header', {}, h('h2', { id: 'settings-title', t: 'settings' }), languageButton());
  const form = h(
    'form',
    { method: 'dialog' },
    header,
    lists.element,
    shortcutList(),
    h('div', { class: 'choices' }, done),
  );
  const dialog = h('dialog', { class: 'settings', 'aria-labelledby': 'settings-title' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  await lists.refresh();
}
