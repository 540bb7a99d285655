// Am I ready to enter? (name, devices and a look at oneself before the room)
// SPDX-License-Identifier: MIT
import { canCapture, explain } from './devices.js';
import { h, setLabel, setText } from './dom.js';
import { icon, logo, swapIcon } from './icons.js';
import { showLevel } from './level.js';
import { rememberedMedia } from './media.js';
import { NAME_MAX, rememberName, rememberedName } from './names.js';
import { problem } from './notices.js';
import { DeviceLists, languageButton } from './settings.js';

const PASSWORD_MAX = 128;

/**
 * `enter({name, password})` returns a promise; later one of failed(), askPassword() and knocking() says how it went.
 */
export class Lobby {
  #media;
  #enter;
  door = null; // in place of the form while somebody waits
  #stopLevel = null;
  #levelTrack = null;

  constructor({ route, media, devices, enter }) {
    this.#media = media;
    this.#enter = enter;
    this.lists = new DeviceLists({ devices, onChange: (source) => this.#deviceChanged(source) });
    this.#buildPreview();
    this.#buildForm(route);
    this.element = h(
      'div',
      { class: 'view lobby' },
      h('header', { class: 'bar' }, h('a', { class: 'brand', href: '/' }, logo(), 'Roda'), languageButton()),
      h('main', {}, this.preview, this.form),
    );
    media.addEventListener('change', this.#show);
    navigator.mediaDevices?.addEventListener?.('devicechange', this.#refresh);
  }

  async start() {
    if (!globalThis.RTCPeerConnection) return this.#cannot('unsupported');
    if (!canCapture()) return this.#cannot('insecure');
    setText(this.hint, 'previewStarting');
    await this.#media.start(rememberedMedia());
    await this.lists.refresh();
    this.#explain();
  }

  /** The room could not be entered. */
  failed(key) {
    this.back();
    this.trouble.replaceChildren(problem(key));
  }

  /** To the form, as if nothing had been tried. */
  back() {
    this.#setBusy(false);
    this.trouble.replaceChildren();
    if (!this.door) return;
    this.door.replaceWith(this.form);
    this.door = null;
    this.submit.focus();
  }

  /** The room asks for a password, or for another one than was given. */
  askPassword(isWrong) {
    this.#setBusy(false);
    this.passwordBox.hidden = false;
    this.password.value = '';
    setText(this.passwordProblem, isWrong ? 'passwordWrong' : 'passwordNeeded');
    this.passwordProblem.classList.toggle('problem', isWrong);
    this.password.setAttribute('aria-invalid', String(isWrong));
    this.password.focus();
  }

  /** The host decides now; `leave()` is for whoever does not want to wait. */
  knocking(leave) {
    const before = this.door;
    const title = h('h1', { t: 'letIn', tabindex: -1 });
    const button = h('button', { class: 'large', type: 'button', t: 'leaveDoor', on: { click: leave } });
    this.door = h(
      'section',
      { class: 'card door', role: 'status' },
      h('span', { class: 'spinner' }),
      title,
      h('p', { class: 'hush', t: 'letInText' }),
      this.notice,
      button,
    );
    (this.form.isConnected ? this.form : before).replaceWith(this.door);
    title.focus({ preventScroll: true });
    this.#show(); // after a reload nothing has changed since this view was made
  }

  /** The server does not answer yet; it goes on being tried. */
  waiting() {
    this.trouble.replaceChildren(problem('endUnreachable', {}, h('p', { class: 'hush', t: 'endUnreachableText' })));
  }

  close() {
    this.#stopLevel?.();
    this.#media.removeEventListener('change', this.#show);
    navigator.mediaDevices?.removeEventListener?.('devicechange', this.#refresh);
    this.video.srcObject = null;
  }

  #buildPreview() {
    this.video = h('video', { autoplay: true, playsinline: true, muted: true, label: 'preview' });
    this.video.muted = true;
    this.hint = h('p', { class: 'hint', t: 'previewOff' });
    this.microphone = this.#toggle('microphone', 'mic');
    this.camera = this.#toggle('camera', 'camera');
    this.meter = h('meter', { min: 0, max: 1, value: 0, label: 'micLevel', hidden: true });
    this.preview = h(
      'section',
      { class: 'preview' },
      h('div', { class: 'mirror' }, this.hint, this.video),
      h('div', { class: 'toggles' }, this.microphone, this.camera),
      this.meter,
    );
  }

  #buildForm({ roomId, role }) {
    this.name = h('input', {
      id: 'name',
      name: 'name',
      autocomplete: 'name',
      maxlength: NAME_MAX,
      required: true,
      placeholder: 'nameHint',
      'aria-describedby': 'name-problem',
    });
    this.name.value = rememberedName();
    this.nameProblem = h('p', { class: 'problem', id: 'name-problem', role: 'alert', hidden: true });
    const isWide = matchMedia('(min-width: 861px)').matches;
    this.choice = h('details', { open: isWide }, h('summary', { t: 'deviceChoice' }), this.lists.element);
    this.notice = h('div', { class: 'notice' });
    this.trouble = h('div', { class: 'notice' });
    this.password = h('input', {
      id: 'password',
      type: 'password',
      autocomplete: 'off',
      maxlength: PASSWORD_MAX,
      'aria-describedby': 'password-problem',
    });
    this.passwordProblem = h('p', { id: 'password-problem', role: 'alert' });
    const label = h('label', { for: 'password', t: 'roomPassword' });
    this.passwordBox = h('div', { class: 'password', hidden: true }, label, this.password, this.passwordProblem);
    this.submit = h('button', { class: 'accent large submit', type: 'submit', t: 'enterRoom' });
    this.muted = h('p', { class: 'hush', t: 'enterMuted', hidden: true });
    this.form = h(
      'form',
      { class: 'card', novalidate: true, on: { submit: (event) => this.#submitted(event) } },
      h('p', { class: 'kicker', t: role === 'host' ? 'asHost' : 'asGuest' }),
      h('h1', { t: 'ready', tabindex: -1 }),
      h('p', { class: 'hush' }, h('span', { t: 'room' }), ' ', h('code', {}, roomId)),
      this.notice,
      h('label', { for: 'name', t: 'yourName' }),
      this.name,
      this.nameProblem,
      this.passwordBox,
      this.choice,
      this.trouble,
      this.submit,
      this.muted,
    );
  }

  #toggle(source, iconName) {
    const button = h('button', { class: 'disc', type: 'button', 'data-control': source }, icon(iconName));
    button.addEventListener('click', async () => {
      await this.#media.toggle(source);
      this.lists.refresh();
      this.#explain();
    });
    return button;
  }

  #show = () => {
    const { microphone, camera } = this;
    const micOn = this.#media.isOn('microphone');
    const cameraOn = this.#media.isOn('camera');
    swapIcon(microphone, micOn ? 'mic' : 'mic-off');
    setLabel(microphone, micOn ? 'muteMicLabel' : 'unmuteMicLabel');
    microphone.classList.toggle('off', !micOn);
    swapIcon(camera, cameraOn ? 'camera' : 'camera-off');
    setLabel(camera, cameraOn ? 'stopCameraLabel' : 'startCameraLabel');
    camera.classList.toggle('off', !cameraOn);
    setText(this.hint, 'previewOff');
    this.muted.hidden = micOn;
    this.#showCamera(this.#media.track('camera'));
    this.#showLevel(this.#media.track('microphone'));
  };

  #showCamera(track) {
    const shown = this.video.srcObject?.getVideoTracks()[0] ?? null;
    if (shown !== track) this.video.srcObject = track && new MediaStream([track]);
    this.video.hidden = !track;
    this.preview.classList.toggle('without-video', !track);
  }

  #showLevel(track) {
    if (this.#levelTrack === track) return;
    this.#levelTrack = track;
    this.#stopLevel?.();
    this.#stopLevel = track && showLevel(track, this.meter);
    this.meter.hidden = !track;
  }

  #refresh = () => this.lists.refresh();

  async #deviceChanged(source) {
    if (source === 'speaker') return;
    await this.#media.renew(source);
    this.#explain();
  }

  #explain() {
    const why = explain(this.#media.errors);
    if (!why) return this.notice.replaceChildren();
    if (why.kind === 'denied') this.choice.open = false; // there is nothing to choose from
    const again = h('button', { type: 'button', class: 'quiet', t: 'tryAgain', on: { click: () => this.start() } });
    const help = why.kind === 'denied' ? h('p', { class: 'hush', t: 'deniedHelp' }) : null;
    this.notice.replaceChildren(problem(why.key, why.params, ...[help, again].filter(Boolean)));
  }

  #cannot(key) {
    this.notice.replaceChildren(problem(key));
    for (const button of [this.microphone, this.camera]) button.disabled = true;
    this.#show();
    if (key === 'unsupported') this.submit.disabled = true;
  }

  #setBusy(isBusy) {
    this.submit.disabled = isBusy;
    setText(this.submit, isBusy ? 'entering' : 'enterRoom');
  }

  #submitted(event) {
    event.preventDefault();
    const name = this.name.value.trim();
    this.nameProblem.hidden = Boolean(name);
    this.name.setAttribute('aria-invalid', String(!name));
    if (!name) {
      setText(this.nameProblem, 'nameMissing');
      return this.name.focus();
    }
    rememberName(name);
    this.trouble.replaceChildren();
    this.#setBusy(true);
    this.#enter({ name, password: this.password.value || undefined });
  }
}
