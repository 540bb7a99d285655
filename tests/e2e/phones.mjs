// How does a test put people beside their telephones? (the page at /calls)
// SPDX-License-Identifier: MIT
import { createHmac } from 'node:crypto';
import { waitFor } from './harness.mjs';

export const SECRET = 'a secret of thirty-two bytes or so';

let people = 0;

/** A user id nobody else has. */
export function newUser(name) {
  return `${name.toLowerCase()}-${process.pid}-${++people}`;
}

/** A JWT of that user, good for ten minutes. */
export function token(claims, secret = SECRET) {
  const encode = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 600;
  const body = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ exp, ...claims })}`;
  return `${body}.${createHmac('sha256', secret).update(body).digest('base64url')}`;
}

/**
 * Opens the page of calls as somebody who has said who they are, with those contacts, and waits until they can be
 * reached: {page, id, name}.
 */
export async function openPhone(browser, { url }, { name, id = newUser(name), contacts = [], options, jwt }) {
  const page = await browser.newPage(options);
  const kept = {
    'roda.contacts': JSON.stringify(contacts.map((one) => ({ id: one.id, name: one.name }))),
    ...(!jwt && { 'roda.self': JSON.stringify(id), 'roda.name': name }),
  };
  await page.addInitScript((items) => {
    for (const [key, value] of Object.entries(items))
      if (!localStorage.getItem(key)) localStorage.setItem(key, value);
  }, kept);
  await page.goto(`${url}/calls?video=320x240@15${jwt ? `#token=${jwt}` : ''}`);
  await waitFor(`${name} to be reachable`, () => page.evaluate(() => roda.client?.status === 'connected'));
  return { page, id, name };
}

/** Presses the button that calls somebody. */
export function call({ page }, { id }, type = 'video') {
  return page.locator(`.contacts li[data-user="${id}"] [data-action=call-${type}]`).click();
}

/** Waits for it to ring and answers: `accept`, `accept-audio` or `decline`. */
export async function answer({ page }, action = 'accept') {
  await page.locator('dialog.ring').waitFor();
  await page.locator(`dialog.ring [data-action=${action}]`).click();
}

/** Waits until the person is in the room of a call, with media. */
export function inCall({ page, name }) {
  return waitFor(`${name} to be in the call`, () =>
    page.evaluate(() => {
      const { status, mediaState, calls } = roda.client;
      if (status === 'joined' && mediaState === 'connected') return calls.current?.status === 'CONNECTED';
      throw new Error(`${status} ${mediaState} ${calls.current?.status}`);
    }),
  );
}

/** Waits until the person is at the list of contacts, and returns what is told there. */
export async function backHome({ page, name }) {
  await page.locator('.view.phone').waitFor();
  await waitFor(`${name} to be out`, () => page.evaluate(() => roda.client.status === 'connected'));
  return page.locator('.news').textContent();
}
