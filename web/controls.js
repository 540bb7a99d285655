// Which buttons does the person have during the call, and what do they say?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon, swapIcon } from './icons.js';

function button(name, { iconName, text, label, kind = '' }, act) {
  if (!act) return null;
  return h(
    'button',
    { class: `control ${kind}`, type: 'button', 'data-control': name, label, on: { click: act } },
    h('span', { class: 'disc' }, icon(iconName)),
    h('span', { class: 'caption', t: text, 'aria-hidden': 'true' }),
  );
}

/**
 * `actions` is {microphone, camera, screen, chat, people, leave}: what each button does, null for one that makes no
 * sense here.
 */
export class Controls {
  constructor({ microphone, camera, screen, chat, people, leave }) {
    const looks = (iconName, text, label, kind) => ({ iconName, text, label, kind });
    this.microphone = button('microphone', looks('mic', 'microphone', 'muteMicLabel'), microphone);
    this.camera = button('camera', looks('camera', 'camera', 'stopCameraLabel'), camera);
    this.screen = button('screen', looks('screen', 'share', 'shareLabel'), screen);
    this.chat = button('chat', looks('chat', 'chat', 'chatLabel'), chat);
    this.people = button('people', looks('people', 'people', 'peopleLabel'), people);
    this.leave = button('leave', looks('leave', 'leave', 'leaveLabel', 'danger'), leave);
    this.badge = h('span', { class: 'badge', hidden: true, 'aria-hidden': 'true' });
    this.chat.querySelector('.disc').append(this.badge);
    this.knocks = h('span', { class: 'knock-badge', hidden: true, 'aria-hidden': 'true' });
    this.people.querySelector('.disc').append(this.knocks);
    const all = [this.microphone, this.camera, this.screen, this.chat, this.people, this.leave];
    this.element = h('nav', { class: 'controls', label: 'controls' }, ...all);
  }

  showMicrophone(isOn) {
    this.#show(this.microphone, isOn ? 'mic' : 'mic-off', isOn ? 'muteMicLabel' : 'unmuteMicLabel');
    this.microphone?.classList.toggle('off', !isOn);
  }

  showCamera(isOn) {
    this.#show(this.camera, isOn ? 'camera' : 'camera-off', isOn ? 'stopCameraLabel' : 'startCameraLabel');
    this.camera?.classList.toggle('off', !isOn);
  }

  showScreen(isOn) {
    if (!this.screen) return;
    this.#show(this.screen, isOn ? 'screen-off' : 'screen', isOn ? 'stopShareLabel' : 'shareLabel');
    setText(this.screen.querySelector('.caption'), isOn ? 'stopShare' : 'share');
    this.screen.classList.toggle('active', isOn);
  }

  /** `open` is chat, people or null. */
  showPanel(open) {
    for (const name of ['chat', 'people']) {
      this[name].setAttribute('aria-expanded', String(open === name));
      this[name].classList.toggle('active', open === name);
    }
  }

  showUnread(count) {
    this.badge.hidden = count === 0;
    this.badge.textContent = count > 9 ? '9+' : String(count);
    if (count > 0) setLabel(this.chat, 'chatUnread', { count });
    else setLabel(this.chat, 'chatLabel');
  }

  showKnocks(count) {
    this.knocks.hidden = count === 0;
    this.knocks.textContent = String(count);
    if (count > 0) setLabel(this.people, 'peopleKnock', { count });
    else setLabel(this.people, 'peopleLabel');
  }

  #show(element, iconName, label) {
    if (!element) return;
    swapIcon(element, iconName);
    setLabel(element, label);
  }
}
