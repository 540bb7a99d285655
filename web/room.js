// How do the client's events and the person's taps become what is seen and heard in the room?
// SPDX-License-Identifier: MIT
import { Chat } from './chat.js';
import { chime } from './chime.js';
import { Controls } from './controls.js';
import { canShareScreen, explain } from './devices.js';
import { h, setText } from './dom.js';
import { Doorkeeper, KnockCard } from './doorkeeper.js';
import { icon, logo } from './icons.js';
import { t } from './i18n.js';
import { invite } from './invite.js';
import { Banner, Notes, ask } from './notices.js';
import { Panel } from './panel.js';
import { People } from './people.js';
import { watchQuality } from './quality.js';
import { Recording } from './recording.js';
import { openSettings } from './settings.js';
import { listen } from './shortcuts.js';
import { Sound } from './sound.js';
import { Stage } from './stage.js';
import { Taps } from './taps.js';

/**
 * The room after the join, until the client's `ended`. `media` is attached to the client already, or will be. `call`
 * is given when it is the room of a call: {title(), add(), hangUp()} in the place of id, invitation and goodbye.
 */
export class Room {
  #client;
  #media;
  #devices;
  #roomId;
  #token;
  #stopping = []; // what close() has to undo
  #unread = 0;
  #relayRefused = false;
  #wakeLock = null;

  #call;

  constructor({ client, media, devices, roomId, token, name, call = null }) {
    this.#call = call;
    this.#client = client;
    this.#media = media;
    this.#devices = devices;
    this.#roomId = roomId;
    this.#token = token;
    this.name = name;
    this.#build();
    this.#wireClient();
    this.#on(media, 'change', () => this.#showSelf());
    this.#on(media, 'trouble', (detail) => this.#tellTrouble(detail));
    this.#on(document, 'language', () => this.#showPeople());
    this.#on(document, 'visibilitychange', () => this.#keepAwake());
    this.#stopping.push(
      listen(this.#keys()),
      watchQuality(client, (reading) => this.#showQuality(reading)),
    );
    this.stage.add({ userId: client.userId, isSelf: true }).setName(name);
    for (const participant of client.participants.values()) this.#arrived(participant);
    this.#showSelf();
    this.#showState();
    queueMicrotask(() => this.#showKept()); // once we are on the page: it may ask something
    this.#keepAwake();
  }

  close() {
    for (const stop of this.#stopping) stop();
    this.stage.close();
    this.sound.close();
    this.#wakeLock?.release().catch(() => {});
    document.querySelectorAll('dialog').forEach((dialog) => dialog.remove());
  }

  // ---- building

  #build() {
    const client = this.#client;
    this.stage = new Stage({
      selectLayer: (userId, source, spatial) => client.selectLayer(userId, source, { spatial }).catch(() => {}),
    });
    this.sound = new Sound({
      sink: this.#devices.chosen('speaker'),
      onBlocked: (isBlocked) => (this.tap.hidden = !isBlocked),
    });
    this.chat = new Chat({ send: (text) => this.#say(text) });
    const door = {
      admit: (userId) => this.#try(() => client.admit(userId)),
      deny: (userId) => this.#try(() => client.deny(userId)),
      update: (changes) => this.#try(() => client.updateRoom(changes)).then(() => this.#showDoor()),
      open: () => this.panel.show('people'),
    };
    this.doorkeeper = new Doorkeeper(door);
    this.knock = new KnockCard(door);
    this.people = new People({
      mute: (one) => this.#muteOther(one),
      remove: (one) => this.#removeOther(one),
      door: this.doorkeeper.element,
    });
    this.panel = new Panel({
      pages: { chat: { title: 'chat', view: this.chat }, people: { title: 'people', view: this.people } },
      onChange: (open, left) => this.#panelChanged(open, left),
    });
    const mayPublish = client.role !== 'observer';
    this.controls = new Controls({
      microphone: mayPublish ? () => this.#toggle('microphone') : null,
      camera: mayPublish ? () => this.#toggle('camera') : null,
      screen: mayPublish && canShareScreen() ? () => this.#toggleScreen() : null,
      chat: () => this.panel.toggle('chat'),
      people: () => this.panel.toggle('people'),
      leave: () => this.#leave(),
    });
    this.notes = new Notes();
    const actions = { attempt: (action) => this.#try(action), leave: () => client.leave(), quiet: () => this.#quiet() };
    this.recording = new Recording({ client, notes: this.notes, actions });
    this.taps = new Taps({ client, notes: this.notes });
    this.banner = new Banner();
    this.tap = h(
      'button',
      { class: 'accent tap', type: 'button', hidden: true },
      icon('sound'),
      h('span', {}, h('strong', { t: 'tapToHear' }), h('small', { t: 'tapToHearText' })),
    );
    this.tap.addEventListener('click', () => this.sound.unblock());
    this.waiting = this.#buildWaiting();
    const over = [this.waiting, this.tap, this.notes.element, this.knock.element];
    const stageBox = h('div', { class: 'stage-box' }, this.stage.element, ...over);
    this.element = h(
      'div',
      { class: 'view room' },
      this.#buildBar(),
      this.taps.mark,
      this.banner.element,
      h('main', {}, stageBox, this.panel.element),
      this.controls.element,
      this.sound.element,
    );
  }

  #buildBar() {
    const settings = h('button', { class: 'round quiet', type: 'button', label: 'settingsLabel' }, icon('settings'));
    settings.addEventListener('click', () => this.#openSettings());
    this.state = h('span', { class: 'state', role: 'status' });
    this.locked = h(
      'span',
      { class: 'locked', role: 'status', hidden: true },
      icon('lock'),
      h('span', { t: 'locked' }),
    );
    this.weak = h('span', { class: 'weak', role: 'status', hidden: true }, icon('alert'), h('span', { t: 'weak' }));
    this.draining = h(
      'span',
      { class: 'weak', role: 'status', hidden: true },
      icon('alert'),
      h('span', { t: 'draining' }),
    );
    const called = [h('span', { class: 'hush', t: 'room' }), ' ', h('code', {}, this.#roomId)];
    this.title = h('h1', { tabindex: -1 }, ...(this.#call ? [] : called));
    const brand = h('span', { class: 'brand' }, logo());
    return h(
      'header',
      { class: 'bar' },
      brand,
      this.title,
      this.state,
      this.locked,
      this.weak,
      this.draining,
      this.recording.mark,
      this.recording.button,
      this.#inviteButton('quiet'),
      settings,
    );
  }

  #buildWaiting() {
    const isHost = this.#client.isHost;
    if (this.#call)
      return h('div', { class: 'waiting card' }, h('h2', { t: 'callAlone' }), h('p', { t: 'callAloneText' }));
    return h(
      'div',
      { class: 'waiting card' },
      h('h2', { t: isHost ? 'alone' : 'waitingHost' }),
      h('p', { t: isHost ? 'aloneText' : 'waitingHostText' }),
      isHost ? this.#inviteButton('accent') : null,
    );
  }

  #inviteButton(kind) {
    const [label, iconName, text] = this.#call ? ['addPeople', 'add', 'add'] : ['inviteLabel', 'invite', 'invite'];
    const props = { class: kind, type: 'button', label, 'data-action': 'invite' };
    const button = h('button', props, icon(iconName), h('span', { t: text }));
    button.addEventListener('click', () => (this.#call ? this.#call.add() : invite(this.#roomId, this.#token)));
    return button;
  }

  #keys() {
    return {
      m: () => this.controls.microphone?.click(),
      v: () => this.controls.camera?.click(),
      s: () => this.controls.screen?.click(),
      c: () => this.controls.chat.click(),
      p: () => this.controls.people.click(),
      '?': () => this.#openSettings(),
      escape: () => this.panel.show(null),
    };
  }

  #on(target, type, listener) {
    const call = (event) => listener(event.detail ?? {});
    target.addEventListener(type, call);
    this.#stopping.push(() => target.removeEventListener(type, call));
  }

  // ---- what the client says

  #wireClient() {
    const on = (type, listener) => this.#on(this.#client, type, listener);
    on('participant-joined', ({ participant }) => {
      this.#arrived(participant);
      this.notes.show('joinedNote', { name: this.#nameOf(participant) });
    });
    on('participant-changed', ({ participant }) => this.#showParticipant(participant));
    on('participant-left', ({ participant }) => {
      this.stage.remove(participant.userId);
      this.notes.show('leftNote', { name: this.#nameOf(participant) });
      this.#showPeople();
    });
    on('track', (detail) => this.#trackCame(detail));
    on('track-ended', (detail) => this.#trackWent(detail));
    on('speaker', ({ userId }) => this.stage.setSpeaker(userId));
    on('chat', (detail) => this.#heard(detail));
    on('muted-by-host', ({ by, kind }) => {
      const name = this.#client.participants.get(by)?.name || t('somebody');
      this.notes.show(kind === 'video' ? 'cameraByHost' : 'mutedByHost', { name });
    });
    on('host-changed', ({ hostId }) => {
      if (hostId === this.#client.userId) this.notes.show('nowHost');
      this.recording.show();
      this.#showPeople();
    });
    on('knocks', ({ name }) => {
      if (name) chime();
      this.#showDoor();
    });
    on('room-changed', ({ locked, by }) => {
      if (locked !== !this.locked.hidden && by !== this.#client.userId) {
        this.notes.show(locked ? 'lockedNote' : 'unlockedNote');
      }
      this.#showDoor();
    });
    on('recording-changed', () => this.recording.show());
    on('tap-changed', () => this.taps.show());
    on('server-draining', ({ secondsLeft }) => {
      this.draining.hidden = false;
      this.notes.show('drainingNote', { minutes: Math.max(1, Math.round(secondsLeft / 60)) });
    });
    on('error', ({ error }) => {
      this.#relayRefused ||= error.code === 'turn';
      this.#showState();
    });
    on('status', () => this.#showState());
    on('media-state', () => this.#showState());
    on('joined', () => {
      this.#showPeople();
      this.#showKept();
    });
  }

  // What becomes of what is said and shown here.
  #showKept() {
    this.recording.show();
    this.taps.show();
  }

  #arrived(participant) {
    this.stage.add({ userId: participant.userId });
    for (const entry of participant.tracks.values()) this.#trackCame({ userId: participant.userId, ...entry });
    this.#showParticipant(participant);
  }

  #showParticipant(participant) {
    for (const source of ['camera', 'screen']) {
      const tile = this.stage.tile(participant.userId, source);
      if (!tile) continue;
      tile.setName(this.#nameOf(participant));
      tile.setMuted(participant.isMuted);
      if (source === 'camera') tile.setVideoEnabled(participant.isVideoEnabled);
    }
    this.#showPeople();
  }

  #trackCame({ userId, source, kind, track, stream }) {
    if (kind === 'audio') return this.sound.add(track, stream);
    const participant = this.#client.participants.get(userId);
    const tile = this.stage.add({ userId, source });
    tile.setName(this.#nameOf(participant));
    tile.setVideo(stream);
    if (source === 'screen') this.notes.show('sharingNote', { name: this.#nameOf(participant) });
  }

  #trackWent({ userId, source, kind, track }) {
    if (kind === 'audio') this.sound.remove(track);
    else if (source === 'screen') this.stage.remove(userId, 'screen');
    else this.stage.tile(userId)?.setVideo(null);
  }

  #heard({ from, name, text, timestamp }) {
    const known = this.#client.participants.get(from);
    this.chat.add({ userId: from, name: name || (known ? this.#nameOf(known) : t('guest')), text, timestamp });
    if (this.panel.open !== 'chat') this.controls.showUnread(++this.#unread);
  }

  #nameOf({ name }) {
    return name || t('guest');
  }

  // ---- what is shown of ourselves

  #showSelf() {
    const { userId } = this.#client;
    const tile = this.stage.tile(userId);
    this.#showOwn(tile, this.#media.track('camera'));
    tile.setMuted(!this.#media.isOn('microphone'));
    const screen = this.#media.track('screen');
    if (screen) {
      const shared = this.stage.add({ userId, source: 'screen', isSelf: true });
      shared.setName(this.name);
      this.#showOwn(shared, screen);
    } else this.stage.remove(userId, 'screen');
    this.controls.showMicrophone(this.#media.isOn('microphone'));
    this.controls.showCamera(this.#media.isOn('camera'));
    this.controls.showScreen(Boolean(screen));
    this.#showPeople();
  }

  // A device that is not there was there before the call.
  #tellTrouble({ error, source }) {
    const why = explain({ [source]: error });
    if (why.kind === 'missing') this.notes.show('deviceLost');
    else this.notes.show(why.key, why.params);
  }

  #showOwn(tile, track) {
    const shown = tile.video.srcObject?.getVideoTracks()[0] ?? null;
    if (shown !== track) tile.setVideo(track && new MediaStream([track]));
  }

  #showPeople() {
    const [client, media] = [this.#client, this.#media];
    const flags = { isMuted: !media.isOn('microphone'), isVideoEnabled: media.isOn('camera') };
    const self = { userId: client.userId, name: this.name, ...flags, isSharingScreen: media.isOn('screen') };
    const others = [...client.participants.values()].map((one) => ({ ...one, name: this.#nameOf(one) }));
    this.people.show({ self, others, hostId: client.hostId, isHost: client.isHost });
    this.waiting.hidden = others.length > 0;
    if (this.#call) this.title.textContent = this.#call.title();
    this.#showDoor();
  }

  #showDoor() {
    const { isHost, room, knocks } = this.#client;
    const waiting = isHost ? [...knocks.values()] : [];
    this.doorkeeper.show({ isHost, rules: room, knocks: waiting });
    this.knock.show(this.panel.open === 'people' ? [] : waiting);
    this.controls.showKnocks(waiting.length);
    this.locked.hidden = room?.locked !== true;
  }

  #showState() {
    const { status, mediaState } = this.#client;
    const isBack = status === 'joined' && mediaState === 'connected';
    setText(this.state, status === 'reconnecting' ? 'reconnecting' : isBack ? 'connected' : 'connecting');
    this.state.classList.toggle('good', isBack);
    const isBroken = mediaState === 'disconnected' || mediaState === 'failed';
    const lasting = { reconnecting: 'reconnectingText', waiting: 'letInAgain' };
    const lost = isBroken ? 'mediaReconnecting' : null;
    this.banner.show(lasting[status] ?? (this.#relayRefused && !isBack ? 'relayRefused' : lost));
  }

  // A picture that stands still says so: its sender may be reloading, or between two networks.
  #showQuality({ isWeak, stalled }) {
    this.weak.hidden = !isWeak;
    for (const { userId, isVideoEnabled } of this.#client.participants.values()) {
      this.stage.tile(userId)?.setStalled(isVideoEnabled && stalled.has(userId));
    }
  }

  #panelChanged(open, left) {
    this.controls.showPanel(open);
    if (left) this.controls[left].focus();
    this.#showDoor();
    if (open !== 'chat') return;
    this.#unread = 0;
    this.controls.showUnread(0);
  }

  // ---- what the person does

  async #try(action) {
    try {
      await action();
    } catch (error) {
      if (error.code === 'forbidden') this.notes.show('micLocked');
      else this.notes.show('actionFailed', { message: error.message });
    }
  }

  #toggle(source) {
    return this.#try(() => this.#media.toggle(source));
  }

  async #quiet() {
    if (this.#media.track('screen')) await this.#toggleScreen();
    for (const source of ['microphone', 'camera']) if (this.#media.isOn(source)) await this.#toggle(source);
  }

  #toggleScreen() {
    if (this.#media.track('screen')) return this.#try(() => this.#media.stopScreen());
    return this.#media.shareScreen().catch((error) => {
      if (error.name !== 'NotAllowedError') this.notes.show('shareFailed'); // else the person changed their mind
    });
  }

  async #say(text) {
    await this.#client.chat(text);
    this.chat.add({ userId: this.#client.userId, name: this.name, text, isSelf: true });
  }

  #muteOther({ userId }) {
    return this.#try(() => this.#client.mute(userId));
  }

  async #removeOther({ userId, name }) {
    const choices = [
      { value: '', key: 'cancel' },
      { value: 'remove', key: 'removeYes', kind: 'danger' },
    ];
    const answer = await ask({ titleKey: 'removeTitle', textKey: 'removeText', params: { name }, choices });
    if (answer === 'remove') await this.#try(() => this.#client.remove(userId));
  }

  async #leave() {
    if (this.#call) return this.#call.hangUp();
    if (!this.#client.isHost || this.#client.participants.size === 0) return this.#client.leave();
    const choices = [
      { value: '', key: 'cancel' },
      { value: 'leave', key: 'justLeave' },
      { value: 'close', key: 'endForAll', kind: 'danger' },
    ];
    const answer = await ask({ titleKey: 'leaveTitle', textKey: 'leaveText', choices });
    if (answer === 'leave') this.#client.leave();
    if (answer === 'close') await this.#try(() => this.#client.close());
  }

  #openSettings() {
    if (document.querySelector('dialog')) return;
    openSettings({
      devices: this.#devices,
      onDevice: (source) => {
        if (source === 'speaker') this.sound.setSink(this.#devices.chosen('speaker'));
        else this.#try(() => this.#media.renew(source));
      },
    });
  }

  async #keepAwake() {
    if (document.visibilityState !== 'visible') return;
    this.#wakeLock = (await navigator.wakeLock?.request('screen').catch(() => null)) ?? null; // saving battery: no
  }
}
