// How does a series of measurements look? (line charts as SVG text, light and dark)
// SPDX-License-Identifier: MIT

const WIDTH = 720;
const HEIGHT = 380;
const LEFT = 64;
const RIGHT = 132;
const TOP = 52;
const BOTTOM = 52;
const COLOURS = ['#2563eb', '#dc2626', '#059669', '#d97706', '#7c3aed', '#0891b2'];

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]);
const number = (value) => (Math.abs(value) >= 1000 ? value.toLocaleString('en') : String(Number(value.toPrecision(3))));

/** Round steps from 0 to at least `max`. */
function ticksTo(max, wanted = 5) {
  const raw = (max || 1) / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((n) => n * power).find((n) => n >= raw);
  return Array.from({ length: Math.ceil((max || 1) / step) + 1 }, (_, i) => i * step);
}

/** Powers of ten from below `min` to above `max`. */
function decades(min, max) {
  const first = Math.floor(Math.log10(min));
  const last = Math.ceil(Math.log10(max));
  return Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
}

/**
 * One chart. `series`: [{name, points: [[x, y], ...], colour?}]; `limit`: {y, name}, a line that should not be crossed; `mark`:
 * {x, name}, a place on the x axis; `log`: the y axis counts in powers of ten.
 */
export function lineChart({ title, subtitle = '', xTitle, yTitle, series, limit, mark, log = false }) {
  const points = series.flatMap((one) => one.points);
  const ys = points.map(([, y]) => y).concat(limit ? [limit.y] : []);
  const xTicks = ticksTo(Math.max(...points.map(([x]) => x)));
  const yTicks = log ? decades(Math.max(1e-9, Math.min(...ys)), Math.max(...ys)) : ticksTo(Math.max(...ys));
  const xMax = xTicks.at(-1);
  const scale = log
    ? (y) => (Math.log10(Math.max(y, yTicks[0])) - Math.log10(yTicks[0])) / (Math.log10(yTicks.at(-1)) - Math.log10(yTicks[0]))
    : (y) => y / yTicks.at(-1);
  const x = (value) => LEFT + (value / xMax) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - scale(value) * (HEIGHT - TOP - BOTTOM);
  const at = (value) => Math.round(value * 10) / 10;
  const text = (tx, ty, content, rest = '') => `<text x="${at(tx)}" y="${at(ty)}" ${rest}>${escape(content)}</text>`;
  const line = (x1, y1, x2, y2, rest) => `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" ${rest}/>`;

  const colourOf = (one, i) => one.colour ?? COLOURS[i % COLOURS.length];
  const grid = [
    ...yTicks.map((t) => line(LEFT, y(t), WIDTH - RIGHT, y(t), 'class="grid"') + text(LEFT - 8, y(t) + 4, number(t), 'text-anchor="end"')),
    ...xTicks.map((t) => text(x(t), HEIGHT - BOTTOM + 18, number(t), 'text-anchor="middle"')),
  ];
  const labels = placeLabels(series.map((one, i) => ({ name: one.name, y: y(one.points.at(-1)[1]), x: x(one.points.at(-1)[0]), colour: colourOf(one, i) })));
  const lines = series.map((one, i) => {
    const colour = colourOf(one, i);
    const path = one.points.map(([px, py]) => `${at(x(px))},${at(y(py))}`).join(' ');
    const dots = one.points.map(([px, py]) => `<circle cx="${at(x(px))}" cy="${at(y(py))}" r="3" fill="${colour}"/>`).join('');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
  });
  const extras = [
    ...(limit ? [line(LEFT, y(limit.y), WIDTH - RIGHT, y(limit.y), 'class="limit"'), text(LEFT + 6, y(limit.y) - 5, limit.name, 'class="quiet"')] : []),
    ...(mark ? [line(x(mark.x), TOP, x(mark.x), HEIGHT - BOTTOM, 'class="limit"'), text(x(mark.x) - 6, TOP + 12, mark.name, 'class="quiet" text-anchor="end"')] : []),
  ];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escape(title)}">`,
    '<style>text{font:12px system-ui,sans-serif;fill:#374151}.title{font-size:15px;font-weight:600;fill:#111827}.quiet{fill:#6b7280;font-size:11px}',
    '.grid{stroke:#d1d5db;stroke-width:.6}.limit{stroke:#6b7280;stroke-dasharray:4 4}.back{fill:#fff}',
    '@media(prefers-color-scheme:dark){text{fill:#c9d1d9}.title{fill:#f0f6fc}.quiet{fill:#8b949e}.grid{stroke:#30363d}.back{fill:#0d1117}}</style>',
    `<rect class="back" width="${WIDTH}" height="${HEIGHT}" rx="6"/>`,
    text(16, 24, title, 'class="title"'),
    text(16, 41, subtitle, 'class="quiet"'),
    ...grid, ...extras, ...lines,
    ...labels.map((one) => `<text x="${at(one.x + 8)}" y="${at(one.y + 4)}" style="fill:${one.colour}">${escape(one.name)}</text>`),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, xTitle, 'text-anchor="middle" class="quiet"'),
    `<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle" class="quiet">${escape(yTitle)}</text>`,
    '</svg>', '',
  ].join('\n');
}

/** Names stand beside the ends of their lines, but not on one another. */
function placeLabels(labels) {
  const sorted = [...labels].sort((a, b) => a.y - b.y);
  for (let i = 1; i < sorted.length; i++) sorted[i].y = Math.max(sorted[i].y, sorted[i - 1].y + 14);
  return sorted;
}
