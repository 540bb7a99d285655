// Which calls were there, and which of them did I miss?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon } from './icons.js';
import { day, duration, t } from './i18n.js';

const PAGE = 10;
const SEEN_KEY = 'roda.callsSeen'; // when the list was last looked at, in ms

const OUTCOMES = {
  DECLINED: 'outcomeDeclined',
  BUSY: 'outcomeBusy',
  FAILED: 'outcomeFailed',
  RINGING: 'outcomeRinging',
  CONNECTING: 'outcomeOngoing',
  CONNECTED: 'outcomeOngoing',
};

/** What one call was for `selfId`: `outgoing`, `incoming` or `missed`. */
export function direction(call, selfId) {
  if (call.initiatorId === selfId) return 'outgoing';
  const own = call.participants?.find(({ userId }) => userId === selfId);
  return own?.status === 'MISSED' || own?.status === 'BUSY' || (!own && call.status === 'MISSED')
    ? 'missed'
    : 'incoming';
}

function lastSeen() {
  return Number(localStorage.getItem(SEEN_KEY) ?? 0);
}

/** How many of these calls were missed and not looked at since. */
export function countMissed(calls, selfId) {
  const seen = lastSeen();
  return calls.filter((call) => direction(call, selfId) === 'missed' && Date.parse(call.startedAt) > seen).length;
}

/** The list of past calls. `add({id, name})` puts somebody among the contacts. */
export class History {
  #self;
  #contacts;
  #calls;
  #call;
  #add;
  #entries = [];
  #page = 0;
  #isLast = true;

  constructor({ self, contacts, calls, call, add }) {
    this.#self = self;
    this.#contacts = contacts;
    this.#calls = calls;
    this.#call = call;
    this.#add = add;
    this.mark = h('span', { class: 'missed-mark', role: 'status', hidden: true });
    this.list = h('ol', { class: 'past' });
    this.empty = h('p', { class: 'hush', t: 'historyEmpty' });
    this.more = h('button', { class: 'quiet', type: 'button', 'data-action': 'more', t: 'more', hidden: true });
    this.more.addEventListener('click', () => this.#load(this.#page + 1));
    this.element = h(
      'section',
      { class: 'card', 'aria-labelledby': 'history-title' },
      h('h2', { id: 'history-title' }, h('span', { t: 'history' }), ' ', this.mark),
      this.empty,
      this.list,
      this.more,
    );
    for (const touch of ['pointerdown', 'focusin']) this.element.addEventListener(touch, () => this.#seen());
    document.addEventListener('language', this.#translate);
  }

  close() {
    document.removeEventListener('language', this.#translate);
    this.#mark(0);
  }

  #translate = () => {
    this.show();
    this.#mark(countMissed(this.#entries, this.#self.id));
  };

  // Whoever touches the list has seen what was missed so far.
  #seen() {
    localStorage.setItem(SEEN_KEY, String(Date.now()));
    this.#mark(0);
  }

  #mark(count) {
    this.mark.hidden = count === 0;
    setText(this.mark, 'missedCount', { count });
    document.title = count > 0 ? `(${count}) ${t('title')}` : t('title');
  }

  /** Asks the server anew, from the newest on. */
  refresh() {
    return this.#load(1);
  }

  async #load(page) {
    let found;
    try {
      found = await this.#calls.history({ page, limit: PAGE });
    } catch {
      return; // the list of before stays; the state in the bar tells of a lost connection
    }
    this.#page = page;
    this.#isLast = found.calls.length < PAGE;
    this.#entries = page === 1 ? found.calls : [...this.#entries, ...found.calls];
    this.#mark(countMissed(this.#entries, this.#self.id));
    this.show();
  }

  show() {
    this.empty.hidden = this.#entries.length > 0;
    this.more.hidden = this.#isLast;
    this.list.replaceChildren(...this.#entries.map((call) => this.#row(call)));
  }

  #row(call) {
    const way = direction(call, this.#self.id);
    const people = [{ userId: call.initiatorId, userName: call.initiatorName }, ...(call.participants ?? [])];
    const others = new Map(people.filter(({ userId }) => userId !== this.#self.id).map((one) => [one.userId, one]));
    const names = [...others.values()].map(({ userId, userName }) => this.#contacts.nameOf(userId, userName));
    const name = names.join(', ');
    const what = h('span');
    setText(
      what,
      way === 'missed' ? 'outcomeMissed' : (OUTCOMES[call.status] ?? (call.duration ? way : 'outcomeNone')),
    );
    const kind = h('span', { t: call.type === 'VIDEO' ? 'kindVideo' : 'kindAudio' });
    const took = call.duration ? ` · ${duration(call.duration)}` : '';
    const back = h('button', { class: 'round quiet', type: 'button', 'data-action': 'call-back' }, icon('phone'));
    setLabel(back, 'callBack', { name });
    back.addEventListener('click', () => this.#call([...others.keys()], call.type));
    const [single] = others.size === 1 ? others.keys() : [];
    return h(
      'li',
      { 'data-call': call.id, 'data-way': way },
      icon(`phone-${way}`),
      h(
        'span',
        { class: 'who' },
        h('span', { class: 'name' }, name),
        h('small', {}, what, ' · ', kind, took, h('time', { datetime: call.startedAt }, ` · ${day(call.startedAt)}`)),
      ),
      single && !this.#contacts.has(single) ? this.#adder(single, name) : null,
      back,
    );
  }

  #adder(id, name) {
    const button = h('button', { class: 'round quiet', type: 'button', 'data-action': 'keep' }, icon('add'));
    setLabel(button, 'keepContact', { name });
    button.addEventListener('click', () => this.#add({ id, name }));
    return button;
  }
}
