// Who is seen, how large, and which simulcast layer is that worth?
// SPDX-License-Identifier: MIT
import { h } from './dom.js';
import { arrange, layerFor } from './layout.js';
import { Tile } from './tile.js';

const LAYER_DELAY_MS = 400; // a window being dragged must not ask for a layer per pixel

/** The tiles of the room. `selectLayer(userId, source, spatial)` is called when a tile's size calls for another. */
export class Stage {
  #tiles = new Map(); // "userId/source" -> Tile
  #selectLayer;
  #layerTimer = null;
  #speaker = null;

  constructor({ selectLayer }) {
    this.#selectLayer = selectLayer;
    this.element = h('section', { class: 'stage', label: 'stage' });
    this.#observer.observe(this.element);
  }

  #observer = new ResizeObserver(() => this.#place());

  tile(userId, source = 'camera') {
    return this.#tiles.get(`${userId}/${source}`) ?? null;
  }

  add(options) {
    const known = this.tile(options.userId, options.source);
    if (known) return known;
    const tile = new Tile(options);
    this.#tiles.set(`${tile.userId}/${tile.source}`, tile);
    this.element.append(tile.element);
    this.#place();
    return tile;
  }

  remove(userId, source = 'camera') {
    const tile = this.tile(userId, source);
    if (!tile) return;
    tile.setVideo(null);
    tile.element.remove();
    this.#tiles.delete(`${userId}/${source}`);
    this.#place();
  }

  setSpeaker(userId) {
    if (this.#speaker) this.tile(this.#speaker)?.setSpeaking(false);
    this.#speaker = userId;
    if (userId) this.tile(userId)?.setSpeaking(true);
  }

  close() {
    this.#observer.disconnect();
    clearTimeout(this.#layerTimer);
    for (const tile of this.#tiles.values()) tile.setVideo(null);
  }

  #place() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width === 0 || height === 0) return;
    const all = [...this.#tiles.values()];
    const screens = all.filter(({ source }) => source === 'screen');
    const others = all.filter(({ source, isSelf }) => source === 'camera' && !isSelf);
    const cameras = [...others, ...all.filter(({ source, isSelf }) => source === 'camera' && isSelf)];
    const places = arrange({ cameras: cameras.length, screens: screens.length, width, height });
    screens.forEach((tile, index) => tile.place(places.screens[index]));
    cameras.forEach((tile, index) => tile.place(places.cameras[index]));
    this.element.classList.toggle('duo', screens.length === 0 && cameras.length === 2);
    clearTimeout(this.#layerTimer);
    this.#layerTimer = setTimeout(() => this.#chooseLayers(), LAYER_DELAY_MS);
  }

  #chooseLayers() {
    for (const tile of this.#tiles.values()) {
      const layer = layerFor(tile.height, globalThis.devicePixelRatio);
      if (tile.isSelf || tile.source === 'screen' || tile.layer === layer) continue;
      tile.layer = layer;
      this.#selectLayer(tile.userId, tile.source, layer);
    }
  }
}
