// Where does each tile go, and how large can it be? (numbers in, numbers out)
// SPDX-License-Identifier: MIT

const WIDEST = 16 / 9;
const NARROWEST_UPRIGHT = 3 / 4; // on an upright screen a tile may crop its video to portrait, no further
const NARROWEST_LYING = 1.1;
const GAP = 10;
const RAGGED_PENALTY = 0.04; // an unfinished last row wastes room that the area of a tile does not show

function fit(count, columns, { width, height }) {
  const narrowest = height > width ? NARROWEST_UPRIGHT : NARROWEST_LYING;
  const rows = Math.max(1, Math.ceil(count / columns));
  const cellWidth = (width - GAP * (columns - 1)) / columns;
  const cellHeight = (height - GAP * (rows - 1)) / rows;
  const tileWidth = Math.floor(Math.min(cellWidth, cellHeight * WIDEST));
  const tileHeight = Math.floor(Math.min(cellHeight, tileWidth / narrowest));
  const score = tileWidth * tileHeight * (1 - RAGGED_PENALTY * (columns * rows - count));
  return { columns, rows, tileWidth, tileHeight, score };
}

/** The rectangles {x, y, width, height} of `count` equal tiles that cover most of a box, last row centred. */
export function gridRects(count, box) {
  if (count === 0) return [];
  const options = Array.from({ length: count }, (_, index) => fit(count, index + 1, box));
  const best = options.reduce((a, b) => (b.score > a.score ? b : a));
  const { columns, rows, tileWidth, tileHeight } = best;
  const top = box.y + (box.height - rows * tileHeight - GAP * (rows - 1)) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = row < rows - 1 ? columns : count - columns * (rows - 1);
    const left = box.x + (box.width - inRow * tileWidth - GAP * (inRow - 1)) / 2;
    const x = Math.round(left + (index % columns) * (tileWidth + GAP));
    const y = Math.round(top + row * (tileHeight + GAP));
    return { x, y, width: tileWidth, height: tileHeight };
  });
}

// Two people: the other one fills the stage, we sit in its corner.
function duo(box) {
  const width = Math.floor(Math.min(box.width, box.height * WIDEST));
  const other = { x: Math.floor((box.width - width) / 2), y: 0, width, height: box.height };
  const upright = box.height > box.width;
  const ownWidth = Math.round(Math.min(upright ? width * 0.3 : width * 0.22, 280));
  const ownHeight = Math.round(upright ? ownWidth / NARROWEST_UPRIGHT : ownWidth / WIDEST);
  const own = {
    x: other.x + width - ownWidth - GAP,
    y: box.height - ownHeight - GAP,
    width: ownWidth,
    height: ownHeight,
  };
  return [other, own];
}

// The screens get most of it, the people a strip along the longer side.
function withScreens(cameras, screens, box) {
  const upright = box.height > box.width * 0.9;
  const share = cameras === 0 ? 0 : upright ? 0.32 : 0.2;
  const strip = { x: 0, y: 0, width: box.width, height: box.height };
  const main = { ...strip };
  if (upright) {
    main.height = Math.round(box.height * (1 - share)) - (share ? GAP : 0);
    strip.y = main.height + GAP;
    strip.height = box.height - strip.y;
  } else {
    main.width = Math.round(box.width * (1 - share)) - (share ? GAP : 0);
    strip.x = main.width + GAP;
    strip.width = box.width - strip.x;
  }
  const whole = screens === 1 ? [main] : gridRects(screens, main);
  return { screens: whole, cameras: gridRects(cameras, strip) };
}

/** Rectangles for so many screens and cameras (our own camera is the last): {screens: [...], cameras: [...]}. */
export function arrange({ cameras, screens, width, height }) {
  const box = { x: 0, y: 0, width, height };
  if (screens > 0) return withScreens(cameras, screens, box);
  return { screens: [], cameras: cameras === 2 ? duo(box) : gridRects(cameras, box) };
}

/** Which simulcast layer a tile of that height is worth: 0, 1, or -1 for the best there is. */
export function layerFor(tileHeight, pixelRatio = 1) {
  const pixels = tileHeight * Math.min(pixelRatio, 2);
  if (pixels <= 200) return 0;
  if (pixels <= 420) return 1;
  return -1;
}
