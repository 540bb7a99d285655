// What do the pictures on the buttons look like? (drawn here: the page loads no font and no image)
// SPDX-License-Identifier: MIT

const SVG = 'http://www.w3.org/2000/svg';

// Each icon is a list of path data on a 24 x 24 grid, drawn with round strokes.
const ICONS = {
  mic: ['M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3z', 'M5.5 11a6.5 6.5 0 0 0 13 0', 'M12 17.5V21'],
  'mic-off': [
    'M15 9.5V6a3 3 0 0 0-5.7-1.3',
    'M9 9v2a3 3 0 0 0 4.6 2.5',
    'M5.5 11a6.5 6.5 0 0 0 10.4 5.2',
    'M18.5 11a6.5 6.5 0 0 1-.7 2.9',
    'M12 17.5V21',
    'M4 3.5l16 17',
  ],
  record: ['M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17z', 'M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z', 'M12 11a1 1 0 1 1 0 2 1 1 0 0 1 0-2z'],
  check: ['M4.5 12.5l5 5 10-11'],
  lock: ['M7 10.5h10a1.5 1.5 0 0 1 1.5 1.5v7a1.5 1.5 0 0 1-1.5 1.5H7A1.5 1.5 0 0 1 5.5 19v-7A1.5 1.5 0 0 1 7 10.5z', 'M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3'],
  camera: [
    'M4.5 6.5h9a2 2 0 0 1 2 2v7a2 2 0 0 1-2 2h-9a2 2 0 0 1-2-2v-7a2 2 0 0 1 2-2z',
    'M15.5 10.7l6-3.2v9l-6-3.2',
  ],
  'camera-off': [
    'M9.5 6.5h4a2 2 0 0 1 2 2v4',
    'M15.3 15.9a2 2 0 0 1-1.8 1.6h-9a2 2 0 0 1-2-2v-7c0-.9.6-1.7 1.5-1.9',
    'M15.5 10.7l6-3.2v9l-4-2.1',
    'M3.5 3.5l17 17',
  ],
  screen: [
    'M4 4.5h16a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5V6A1.5 1.5 0 0 1 4 4.5z',
    'M8.5 20.5h7',
    'M12 13.5V8.2',
    'M9.5 10.4L12 8l2.5 2.4',
  ],
  'screen-off': [
    'M4 4.5h16a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 1 20 17H4a1.5 1.5 0 0 1-1.5-1.5V6A1.5 1.5 0 0 1 4 4.5z',
    'M8.5 20.5h7',
    'M9.8 8.5l4.4 4.5',
    'M14.2 8.5l-4.4 4.5',
  ],
  phone: [
    'M6.2 3.5h2.6c.5 0 .9.3 1 .8l.8 3.3c.1.4 0 .8-.3 1.1l-1.7 1.7a13 13 0 0 0 5 5l1.7-1.7c.3-.3.7-.4 1.1-.3l3.3.8c.5.1.8.5.8 1v2.6a2.2 2.2 0 0 1-2.4 2.2C10.4 19.4 4.6 13.6 4 5.9a2.2 2.2 0 0 1 2.2-2.4z',
  ],
  'phone-outgoing': ['M6 18L18 6', 'M9 6h9v9'],
  'phone-incoming': ['M18 6L6 18', 'M15 18H6V9'],
  'phone-missed': ['M4 8l8 7 8-8', 'M14.5 7H20v5.5'],
  bell: [
    'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 2h-15z',
    'M10 21h4',
  ],
  add: ['M12 5v14', 'M5 12h14'],
  edit: ['M4.5 19.5l1-4L16 5l3 3L8.5 18.5z', 'M14 7l3 3'],
  chat: ['M12 4c5 0 9 3.2 9 7.3s-4 7.3-9 7.3c-1 0-2-.1-2.9-.4L4.5 20l.9-3.4C3.9 15.2 3 13.4 3 11.3 3 7.2 7 4 12 4z'],
  people: [
    'M9 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
    'M2.5 19.5c.4-3.3 3.1-5.5 6.5-5.5s6.1 2.2 6.5 5.5',
    'M15.5 5a3.2 3.2 0 0 1 0 6.1',
    'M17.5 14.3c2.3.7 3.8 2.6 4 5.2',
  ],
  invite: [
    'M10 14a4 4 0 0 0 5.9.3l3.3-3.3a4 4 0 0 0-5.7-5.7l-1.4 1.4',
    'M14 10a4 4 0 0 0-5.9-.3l-3.3 3.3a4 4 0 0 0 5.7 5.7l1.4-1.4',
  ],
  settings: [
    'M4 7h9',
    'M17 7h3',
    'M15 9.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z',
    'M4 17h3',
    'M11 17h9',
    'M9 19.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z',
  ],
  leave: [
    'M3 14.2c-.9-1-.9-2.5.1-3.4 5-4.3 12.8-4.3 17.8 0 1 .9 1 2.4.1 3.4l-.6.7c-.5.6-1.4.7-2 .3l-2.2-1.4a1.5 1.5 0 0 1-.7-1.5l.2-1.3a13 13 0 0 0-7.4 0l.2 1.3c.1.6-.2 1.2-.7 1.5l-2.2 1.4c-.6.4-1.5.3-2-.3z',
  ],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  send: ['M4.5 12L3.5 4.5 21 12 3.5 19.5z', 'M4.5 12H11'],
  remove: [
    'M10 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7z',
    'M3.5 19.5c.4-3.3 3.1-5.5 6.5-5.5 1.7 0 3.3.6 4.4 1.5',
    'M16 17.5l5 0',
  ],
  sound: ['M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z', 'M15.5 9a4.2 4.2 0 0 1 0 6', 'M18 6.5a8 8 0 0 1 0 11'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  alert: ['M12 4l9 15.5H3z', 'M12 10v4.5', 'M12 17v.1'],
  globe: [
    'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18z',
    'M3.5 12h17',
    'M12 3c2.5 2.6 3.7 5.6 3.7 9s-1.2 6.4-3.7 9c-2.5-2.6-3.7-5.6-3.7-9S9.5 5.6 12 3z',
  ],
};

export function svg(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

export function icon(name) {
  const paths = ICONS[name].map((d) => svg('path', { d }));
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, ...paths);
}

/** Shows another icon in the place of the one an element has. */
export function swapIcon(element, name) {
  element.querySelector('.icon').replaceWith(icon(name));
}

/** The mark of the house: people in a circle, one of them speaking. */
export function logo() {
  const people = Array.from({ length: 7 }, (_, index) => {
    const angle = ((index - 1.75) * 2 * Math.PI) / 7;
    const place = { cx: (12 + 8.2 * Math.cos(angle)).toFixed(2), cy: (12 + 8.2 * Math.sin(angle)).toFixed(2) };
    return svg('circle', { ...place, r: index === 0 ? 3 : 2.2, class: index === 0 ? 'speaks' : '' });
  });
  return svg('svg', { class: 'logo', viewBox: '0 0 24 24', 'aria-hidden': 'true' }, ...people);
}
