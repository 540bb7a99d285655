// Is what a page shows whole: in its bounds, large enough to press, with names?
// SPDX-License-Identifier: MIT
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';

const SHOTS = process.env.RODA_SHOTS; // a folder for pictures of each view, for people to look at
if (SHOTS) mkdirSync(SHOTS, { recursive: true });

/** Keeps a picture of the page, where pictures are wanted. */
export async function shoot(page, name) {
  if (SHOTS) await page.screenshot({ path: `${SHOTS}/${name}.png` });
}

/** Nothing sticks out, everything to press is large enough and has a name. */
export async function isWellFormed(page) {
  const faults = await page.evaluate(() => {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) found.push(`wider than the screen: ${root.scrollWidth}`);
    for (const one of document.querySelectorAll('button, a, input:not([type=checkbox]), select, textarea, summary')) {
      const { width, height } = one.getBoundingClientRect();
      if (width === 0) continue; // hidden
      const name = one.getAttribute('aria-label') || one.textContent.trim() || one.labels?.length;
      if (!name) found.push(`no name: ${one.outerHTML.slice(0, 80)}`);
      if (height < 34 || width < 34) found.push(`too small to press: ${one.outerHTML.slice(0, 80)}`);
    }
    const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
    if (new Set(ids).size !== ids.length) found.push('an id twice');
    return found;
  });
  assert.deepEqual(faults, []);
}
