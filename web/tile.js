// How is one participant (or one shared screen) shown?
// SPDX-License-Identifier: MIT
import { h, setLabel, setText } from './dom.js';
import { icon } from './icons.js';

const HUES = 6; // classes hue-0 .. hue-5 of style.css

/** "Dra. Ana Maria Souza" -> "AS". */
export function initials(name) {
  const words = name.split(/\s+/).filter((word) => word && !word.endsWith('.'));
  const letters = words.length > 1 ? [words[0], words.at(-1)] : words;
  return letters.map((word) => [...word][0].toLocaleUpperCase()).join('') || '?';
}

/** The same person gets the same colour everywhere. */
export function hue(userId) {
  let sum = 0;
  for (const letter of userId) sum = (sum * 31 + letter.codePointAt(0)) >>> 0;
  return sum % HUES;
}

export class Tile {
  /** `source` is camera or screen. */
  constructor({ userId, source = 'camera', isSelf = false }) {
    this.userId = userId;
    this.source = source;
    this.isSelf = isSelf;
    this.layer = null; // the simulcast layer last asked for
    this.video = h('video', { autoplay: true, playsinline: true, muted: true, 'aria-hidden': 'true' });
    this.video.muted = true; // sound has its own elements (sound.js); the attribute alone does not mute
    this.video.addEventListener('loadeddata', () => this.#showVideo());
    this.avatar = h('span', { class: `avatar hue-${hue(userId)}`, 'aria-hidden': 'true' });
    this.mark = h('span', { class: 'mark', hidden: true }, icon('mic-off'));
    this.name = h('span', { class: 'name' });
    this.pause = h(
      'span',
      { class: 'pause', hidden: true },
      h('span', { class: 'spinner' }),
      h('span', { t: 'noPicture' }),
    );
    this.element = h(
      'article',
      {
        class: `tile ${source}${isSelf && source === 'camera' ? ' mirror' : ''}`,
        'data-user': userId,
        'data-source': source,
      },
      this.avatar,
      this.video,
      this.pause,
      h('p', { class: 'tag' }, this.mark, this.name),
    );
  }

  setName(name) {
    this.avatar.textContent = initials(name);
    if (this.source === 'screen') setText(this.name, this.isSelf ? 'yourScreen' : 'screenOf', { name });
    else if (this.isSelf) setText(this.name, 'you');
    else this.name.textContent = name;
    setLabel(this.mark, 'isMuted', { name });
  }

  setMuted(isMuted) {
    this.mark.hidden = !isMuted || this.source === 'screen';
  }

  setSpeaking(isSpeaking) {
    this.element.classList.toggle('speaking', isSpeaking);
  }

  /** A MediaStream to show, or null for the avatar. */
  setVideo(stream) {
    if (this.video.srcObject === stream) return;
    this.video.srcObject = stream;
    this.element.classList.remove('has-video');
    if (stream) this.video.play().catch(() => {}); // muted video may always play; a newer stream may interrupt
  }

  /** The track stays but shows nothing (the camera is off), or shows again. */
  setVideoEnabled(isEnabled) {
    this.element.classList.toggle('video-off', !isEnabled);
  }

  /** The picture has stopped coming, for now. */
  setStalled(isStalled) {
    this.pause.hidden = !isStalled;
    this.element.classList.toggle('stalled', isStalled);
  }

  place({ x, y, width, height }) {
    Object.assign(this.element.style, { width: `${width}px`, height: `${height}px` });
    this.element.style.transform = `translate(${x}px, ${y}px)`;
    this.element.classList.toggle('small', height < 150 || width < 150);
    this.height = height;
  }

  #showVideo() {
    this.element.classList.toggle('has-video', Boolean(this.video.srcObject));
  }
}
