// Which of chat and people is open beside the stage?
// SPDX-License-Identifier: MIT
import { h } from './dom.js';
import { icon } from './icons.js';

/**
 * `pages` is {name: {title: key, view: {element, focus()}}}; `onChange(open, left)` tells what is open now,
 * and which page was left with the keyboard on it when everything was closed (null: none).
 */
export class Panel {
  #pages;
  #onChange;
  #tabs = {};
  open = null;

  constructor({ pages, onChange }) {
    this.#pages = pages;
    this.#onChange = onChange;
    const tabs = Object.entries(pages).map(([name, page]) => this.#tab(name, page));
    const close = h('button', { class: 'round quiet', type: 'button', label: 'closePanel' }, icon('close'));
    close.addEventListener('click', () => this.show(null));
    const header = h('header', {}, h('div', { class: 'tabs', role: 'tablist' }, ...tabs), close);
    this.element = h('aside', { class: 'panel', hidden: true }, header);
    for (const [name, { view }] of Object.entries(pages)) {
      view.element.id = `page-${name}`;
      view.element.setAttribute('role', 'tabpanel');
      view.element.setAttribute('aria-labelledby', `tab-${name}`);
      this.element.append(view.element);
    }
  }

  toggle(name) {
    this.show(this.open === name ? null : name);
  }

  show(name) {
    const left = name === null && this.element.contains(document.activeElement) ? this.open : null;
    this.open = name;
    this.element.hidden = name === null;
    for (const [key, { view }] of Object.entries(this.#pages)) {
      view.element.hidden = key !== name;
      this.#tabs[key].setAttribute('aria-selected', String(key === name));
      this.#tabs[key].tabIndex = key === name ? 0 : -1;
    }
    this.#onChange(name, left);
    if (name) this.#pages[name].view.focus();
  }

  #tab(name, { title }) {
    const tab = h('button', {
      role: 'tab',
      type: 'button',
      id: `tab-${name}`,
      'aria-controls': `page-${name}`,
      t: title,
    });
    tab.addEventListener('click', () => this.show(name));
    tab.addEventListener('keydown', (event) => {
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
      const names = Object.keys(this.#pages);
      const step = event.key === 'ArrowRight' ? 1 : names.length - 1;
      const next = names[(names.indexOf(name) + step) % names.length];
      this.show(next);
      this.#tabs[next].focus();
    });
    this.#tabs[name] = tab;
    return tab;
  }
}
