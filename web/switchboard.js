// Which call is on the screen now? (contacts -> ringing -> room -> contacts; the page at /calls)
// SPDX-License-Identifier: MIT
import { RodaClient, takeSession } from './client.js';
import { Contacts, rememberSelf, rememberedSelf, selfOfToken } from './contacts.js';
import { Devices, canCapture, explain } from './devices.js';
import { Dialing } from './dialing.js';
import { h } from './dom.js';
import { returningView } from './end.js';
import { duration, t } from './i18n.js';
import { LocalMedia, rememberedMedia } from './media.js';
import { ask } from './notices.js';
import { notify } from './notify.js';
import { Phone, selfForm } from './phone.js';
import { Ring } from './ring.js';
import { allowSound } from './ringtone.js';
import { Room } from './room.js';

const OUTGOING = { MISSED: 'outNoAnswer', DECLINED: 'outDeclined', BUSY: 'outBusy', FAILED: 'outFailed' };
const NOTES = { RINGING: 'noteRinging', DECLINED: 'noteDeclined', BUSY: 'noteBusy', MISSED: 'noteMissed' };

/** What there is to say about a call that is over, as a key of i18n; null: nothing, we know. */
export function outcome(call) {
  if (call.reason === 'removed') return 'outRemoved';
  if (call.isIncoming && call.answer === 'elsewhere') return 'answeredElsewhere';
  if (call.isIncoming && call.answer === 'declined') return null;
  if (call.isIncoming && call.answer === null) return 'youMissed';
  if (call.status in OUTGOING) {
    if (call.hungUp && call.status === 'MISSED') return null;
    const isSaid = call.reason && call.reason !== 'declined'; // the server's word for no reason
    return call.status === 'DECLINED' && isSaid ? 'outDeclinedReason' : OUTGOING[call.status];
  }
  return call.duration ? 'callOver' : 'callOverShort';
}

/** `show(element, view)` puts a view on the page, `finish(reason)` the last one; `roda` is the door for tests. */
export class Switchboard {
  #show;
  #finish;
  #refused;
  #token;
  #video;
  #roda;
  #contacts = new Contacts();
  #self = null;
  #client = null;
  #media = null;
  #devices = null;
  #phone = null;
  #dialing = null;
  #room = null;
  #ring = null;
  #unnotify = () => {};

  constructor({ show, finish, refused, token, video, roda }) {
    Object.assign(roda, { contacts: this.#contacts });
    this.#show = show;
    this.#finish = finish;
    this.#refused = refused;
    this.#token = token;
    this.#video = video;
    this.#roda = roda;
    document.addEventListener('pointerdown', allowSound);
  }

  start() {
    this.#self = this.#token ? selfOfToken(this.#token) : rememberedSelf();
    if (this.#self) return this.#open();
    if (this.#token) return this.#finish('unauthorized');
    this.#askSelf();
  }

  #askSelf() {
    const done = (self) => {
      rememberSelf(self);
      this.#self = self;
      this.#open();
    };
    this.#view(selfForm({ self: this.#self ?? rememberedSelf(), done }));
  }

  // ---- the line

  async #open() {
    const client = new RodaClient({ token: this.#token, userId: this.#self.id, name: this.#self.name });
    this.#client = client;
    this.#devices = new Devices({ video: this.#video });
    this.#media = new LocalMedia(this.#devices);
    Object.assign(this.#roda, { client, media: this.#media });
    this.#wire(client);
    const session = takeSession();
    if (session) this.#view(returningView());
    else this.#showPhone();
    try {
      await client.connect();
      if (session) await this.#comeBack(session);
    } catch {
      if (client.status !== 'ended' && !client.calls.current) this.#showPhone(); // the call went on without us
    }
    this.#phone?.history.refresh();
  }

  #wire(client) {
    const on = (target, type, act) =>
      target.addEventListener(type, ({ detail }) => client === this.#client && act(detail));
    on(client, 'status', ({ status }) => this.#phone?.showState(status));
    on(client, 'ended', ({ reason }) => this.#closed(reason));
    on(
      client,
      'drop',
      ({ retryMs }) => client.status === 'connecting' && retryMs && this.#refused(client, this.#token),
    );
    on(client, 'error', ({ error }) => console.warn('roda:', error));
    on(client.calls, 'incoming', () => this.#ringNext());
    on(client.calls, 'started', ({ call }) => this.#changed(call));
    on(client.calls, 'status', (detail) => this.#changed(detail.call, detail));
    on(client.calls, 'ended', ({ call }) => this.#ended(call));
  }

  #closed(reason) {
    this.#ring?.close();
    this.#ring = null;
    this.#media.stop();
    if (reason !== 'self-changed') this.#finish(reason);
  }

  #changeSelf() {
    this.#client.leave('self-changed');
    this.#askSelf();
  }

  // ---- views

  #view(element, view = null) {
    this.#phone = this.#dialing = this.#room = null;
    this.#show(element, view);
  }

  #showPhone() {
    const phone = new Phone({
      self: this.#self,
      contacts: this.#contacts,
      calls: this.#client.calls,
      call: (ids, type) => this.#dial(ids, type),
      changeSelf: this.#token ? null : () => this.#changeSelf(),
    });
    this.#view(phone.element, phone);
    this.#phone = phone;
    phone.showState(this.#client.status);
    if (this.#client.status === 'connected') phone.history.refresh();
  }

  #showRoom(call) {
    const room = new Room({
      client: this.#client,
      media: this.#media,
      devices: this.#devices,
      roomId: call.roomId,
      token: this.#token,
      name: this.#self.name,
      call: { title: () => this.#names(call), add: () => this.#addPeople(call), hangUp: () => this.#hangUp(call) },
    });
    this.#view(room.element, room);
    this.#room = this.#roda.room = room;
  }

  #nameOf = (id, otherwise) => this.#contacts.nameOf(id, otherwise);

  #names({ initiatorId, initiatorName, participants }) {
    const all = new Map([
      [initiatorId, initiatorName],
      ...participants.map(({ userId, userName }) => [userId, userName]),
    ]);
    all.delete(this.#self.id);
    all.delete(undefined);
    return [...all].map(([id, name]) => this.#nameOf(id, name)).join(', ');
  }

  // ---- calling

  async #dial(users, type) {
    const { calls } = this.#client;
    if (calls.current || this.#dialing) return;
    const cancel = () => (calls.current ? this.#try(() => calls.end()) : this.#showPhone());
    const isVideo = type === 'VIDEO';
    const dialing = new Dialing({ users, isVideo, selfId: this.#self.id, nameOf: this.#nameOf, cancel });
    this.#view(dialing.element, dialing);
    this.#dialing = dialing;
    try {
      const call = await calls.call(users, { type });
      if (calls.current !== call) return; // everybody was busy
      if (this.#dialing !== dialing) return void (await calls.end()); // cancelled meanwhile
      this.#changed(call);
      await this.#openMedia({ microphone: true, camera: isVideo });
    } catch (error) {
      this.#showPhone();
      this.#phone.tell(error.code === 'busy' ? 'youAreBusy' : 'callFailed', { message: error.message });
    }
  }

  // The call goes on while the browser asks the person; who has no devices sees and hears.
  async #openMedia(wanted) {
    if (!canCapture()) return this.#room?.notes.show('insecure');
    await this.#media.start(wanted);
    if (!this.#client.calls.current) return this.#media.stop();
    await this.#media.attach(this.#client);
    const why = explain(this.#media.errors);
    if (why) this.#room?.notes.show(why.key, why.params);
  }

  #changed(call, { userId, userStatus } = {}) {
    if (call !== this.#client.calls.current) return;
    const isAnswered = call.participants.some((one) => one.userId !== this.#self.id && one.status === 'JOINED');
    if (this.#dialing && isAnswered) return this.#showRoom(call);
    this.#dialing?.show(call.participants);
    if (!this.#room || userId === this.#self.id || !(userStatus in NOTES)) return;
    const name = call.participants.find((one) => one.userId === userId)?.userName;
    this.#room.notes.show(NOTES[userStatus], { name: this.#nameOf(userId, name) });
  }

  async #hangUp(call) {
    const { calls, isHost } = this.#client;
    const others = call.participants.filter(
      ({ userId, status }) => userId !== this.#self.id && (status === 'JOINED' || status === 'RINGING'),
    );
    if (others.length <= 1) return this.#try(() => calls.end());
    if (!isHost) return this.#try(() => calls.leave());
    const choices = [
      { value: '', key: 'cancel' },
      { value: 'leave', key: 'justLeave' },
      { value: 'end', key: 'endForAll', kind: 'danger' },
    ];
    const answer = await ask({ titleKey: 'hangUpTitle', textKey: 'hangUpText', choices });
    if (answer) await this.#try(() => calls[answer]());
  }

  async #addPeople(call) {
    const inside = new Set(
      call.participants
        .filter(({ status }) => status === 'JOINED' || status === 'RINGING')
        .map(({ userId }) => userId),
    );
    const known = this.#contacts.list.filter(({ id }) => !inside.has(id) && id !== this.#self.id);
    const boxes = known.map(({ id, name }) => {
      const box = h('input', { type: 'checkbox', value: id });
      return h('label', { class: 'check' }, box, name);
    });
    const other = h('input', { id: 'add-id', label: 'contactId', placeholder: 'contactIdHint', autocomplete: 'off' });
    const field = h('div', { class: 'add-people' }, ...boxes, other);
    const choices = [
      { value: '', key: 'cancel' },
      { value: 'add', key: 'ringThem', kind: 'accent' },
    ];
    const answer = await ask({ titleKey: 'addPeople', textKey: 'addPeopleText', choices, field });
    const ids = [...field.querySelectorAll('input:checked')].map(({ value }) => value);
    if (other.value.trim()) ids.push(other.value.trim());
    if (answer === 'add' && ids.length > 0) await this.#try(() => this.#client.calls.add(ids));
  }

  async #try(action) {
    try {
      await action();
    } catch (error) {
      if (this.#room) this.#room.notes.show('actionFailed', { message: error.message });
      else if (this.#dialing) this.#showPhone();
      this.#phone?.tell('actionFailed', { message: error.message });
    }
  }

  // ---- being called

  #ringNext() {
    const [call] = this.#client.calls.ringing;
    if (this.#ring || !call || this.#client.calls.current) return;
    const ring = new Ring({
      call,
      nameOf: this.#nameOf,
      accept: (choice) => this.#accept(call, choice),
      decline: (reason) => this.#try(() => this.#client.calls.decline(call.id, reason)),
    });
    this.#ring = ring;
    ring.open();
    const name = this.#nameOf(call.initiatorId, call.initiatorName);
    const key = call.type === 'VIDEO' ? 'notifyVideo' : 'notifyAudio';
    this.#unnotify = notify(key, { name }, { tag: call.id, stays: true });
  }

  #stopRinging() {
    this.#ring?.close();
    this.#ring = null;
    this.#unnotify();
  }

  async #accept(call, { camera }) {
    this.#stopRinging();
    try {
      await this.#client.calls.accept(call.id);
      this.#showRoom(call);
      await this.#openMedia({ microphone: true, camera });
    } catch (error) {
      if (!this.#phone) this.#showPhone();
      this.#phone.tell('callFailed', { message: error.message });
    }
  }

  async #comeBack(session) {
    const call = await this.#client.calls.resume(session);
    this.#showRoom(call);
    await this.#openMedia(rememberedMedia());
  }

  // ---- the end of a call

  #ended(call) {
    const isShown = this.#room || this.#dialing;
    if (this.#ring?.call === call) this.#stopRinging();
    if (isShown && !this.#client.calls.current) {
      this.#media.stop();
      this.#showPhone();
    } else this.#phone?.history.refresh();
    this.#tellOutcome(call);
    this.#ringNext();
  }

  #tellOutcome(call) {
    const key = outcome(call);
    const name = this.#names(call) || t('guest');
    const params = { name, reason: call.reason ?? '', duration: duration(call.duration ?? 0) };
    if (key === 'youMissed') notify(key, params, { tag: call.id });
    if (!key) return;
    const mayCallAgain = key !== 'answeredElsewhere' && key !== 'outRemoved' && key !== 'callOver';
    const others = [call.initiatorId, ...call.participants.map(({ userId }) => userId)];
    const ids = [...new Set(others)].filter((id) => id && id !== this.#self.id);
    this.#phone?.tell(key, params, mayCallAgain && ids.length > 0 ? () => this.#dial(ids, call.type) : null);
  }
}
