// What does somebody see who comes without a room? (and on the page for trying it out)
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon, logo, svg } from './icons.js';
import { isRoomId, newRoomId, roomPath } from './route.js';
import { languageButton } from './settings.js';

// People in a circle, the sign of the house, large.
function circleOfPeople() {
  const hues = [1, 0, 2, 4, 3, 0, 5]; // no two neighbours alike
  const people = hues.map((hue, index) => {
    const angle = ((index - 1.75) * 2 * Math.PI) / hues.length;
    const x = 200 + 132 * Math.cos(angle);
    const y = 200 + 132 * Math.sin(angle);
    return svg(
      'g',
      {
        class: `person hue-${hue}${index === 0 ? ' speaks' : ''}`,
        transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
      },
      svg('circle', { r: index === 0 ? 54 : 0, class: 'halo' }),
      svg('circle', { r: 44, class: 'plate' }),
      svg('circle', { cy: -9, r: 13, class: 'figure' }),
      svg('path', { d: 'M-24 27 a24 22 0 0 1 48 0 a44 44 0 0 1 -48 0z', class: 'figure' }),
    );
  });
  const ring = svg('circle', { cx: 200, cy: 200, r: 132, class: 'ring' });
  return svg('svg', { class: 'circle', viewBox: '0 0 400 400', 'aria-hidden': 'true' }, ring, ...people);
}

function codeForm() {
  const input = h('input', {
    id: 'code',
    name: 'code',
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    required: true,
    placeholder: 'codeHint',
    'aria-describedby': 'code-problem',
  });
  const problem = h('p', { class: 'problem', id: 'code-problem', role: 'alert', hidden: true });
  const form = h(
    'form',
    { class: 'code', novalidate: true },
    h('label', { for: 'code', t: 'haveCode' }),
    h('div', { class: 'row' }, input, h('button', { type: 'submit', t: 'enter' })),
    problem,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const code = input.value.trim().split('/').at(-1); // somebody may paste the whole link
    if (isRoomId(code)) return void location.assign(roomPath(code, 'participant'));
    setText(problem, 'badCode');
    problem.hidden = false;
    input.focus();
  });
  return form;
}

function testCard() {
  const roomId = newRoomId();
  const link = (role, iconName, key) =>
    h('a', { class: 'link', href: roomPath(roomId, role), target: '_blank' }, icon(iconName), h('span', { t: key }));
  return h(
    'section',
    { class: 'card test' },
    h('h2', { t: 'testTitle' }),
    h('p', { class: 'hush', t: 'testText' }),
    h('div', { class: 'links' }, link('host', 'camera', 'testDoctor'), link('participant', 'people', 'testPatient')),
    h('p', { class: 'hush' }, h('span', { t: 'testRoom' }), ' ', h('code', {}, roomId)),
  );
}

/** The element of the start page. */
export function homeView({ isTest }) {
  const start = h(
    'a',
    { class: 'button accent large', href: roomPath(newRoomId(), 'host') },
    icon('camera'),
    h('span', { t: 'start' }),
  );
  const callsLink = h(
    'a',
    { class: 'button quiet', href: '/calls' },
    icon('phone'),
    h('span', { t: 'callSomebody' }),
  );
  return h(
    'div',
    { class: 'view home' },
    h('header', { class: 'bar' }, h('a', { class: 'brand', href: '/' }, logo(), 'Roda'), languageButton()),
    h(
      'main',
      {},
      h(
        'div',
        { class: 'pitch' },
        h('h1', { t: 'tagline', tabindex: -1 }),
        h('p', { class: 'lead', t: 'intro' }),
        ...(isTest ? [testCard()] : [start, codeForm(), callsLink]),
      ),
      circleOfPeople(),
    ),
  );
}
