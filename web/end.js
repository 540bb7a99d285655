// Why is it over, and what now?
// SPDX-License-Identifier: MIT
import { h } from './dom.js';
import { logo } from './icons.js';
import { languageButton } from './settings.js';

const TITLES = {
  left: 'endLeft',
  'room-closed': 'endClosed',
  removed: 'endRemoved',
  'room-full': 'endFull',
  draining: 'endDraining',
  unauthorized: 'endUnauthorized',
  forbidden: 'endUnauthorized',
  replaced: 'endReplaced',
  locked: 'endLocked',
  denied: 'endDenied',
  'rate-limited': 'endTooOften',
};

/** Between a reload and being back in the room. */
export function returningView() {
  const main = h('main', {}, logo(), h('h1', { t: 'reconnecting', tabindex: -1 }), h('span', { class: 'spinner' }));
  return h('div', { class: 'view end' }, main);
}

/** The words for a reason of `ended` or the code of a refused join, as a key of i18n. */
export function endTitle(reason) {
  return TITLES[reason] ?? 'endRefused';
}

/** The last page. `again()` goes back to the lobby. */
export function endView({ reason, again }) {
  const mayReturn = !['room-closed', 'removed', 'unauthorized', 'forbidden'].includes(reason);
  const text = reason === 'unauthorized' || reason === 'forbidden' ? 'endUnauthorizedText' : 'endText';
  const rejoin = h('button', { class: 'accent large', type: 'button', t: 'rejoin', on: { click: again } });
  return h(
    'div',
    { class: 'view end' },
    h('header', { class: 'bar' }, h('a', { class: 'brand', href: '/' }, logo(), 'Roda'), languageButton()),
    h(
      'main',
      {},
      logo(),
      h('h1', { t: endTitle(reason), tabindex: -1 }),
      h('p', { class: 'lead', t: text }),
      h('div', { class: 'choices' }, mayReturn ? rejoin : null, h('a', { class: 'button', href: '/', t: 'home' })),
    ),
  );
}
