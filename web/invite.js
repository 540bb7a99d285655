// How does somebody else get here? (the system's share sheet on a phone; a link and its QR code elsewhere)
// SPDX-License-Identifier: MIT
import { h, setText } from './dom.js';
import { icon } from './icons.js';
import { t } from './i18n.js';
import { inviteUrl } from './route.js';

/** {joinURL, qrDataUrl} as the server knows the room, or null when it does not say. */
async function askServer(roomId, token) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const response = await fetch(`/api/rooms/${encodeURIComponent(roomId)}`, { headers }).catch(() => null);
  return response?.ok ? response.json() : null;
}

async function copy(url, field, button) {
  try {
    await navigator.clipboard.writeText(url);
    setText(button.querySelector('span'), 'linkCopied');
  } catch {
    field.select(); // no clipboard here: it is marked, ready for Ctrl+C
  }
}

function openDialog(url, qrDataUrl) {
  const field = h('input', { readonly: true, value: url, label: 'inviteLink' });
  field.addEventListener('focus', () => field.select());
  const copyButton = h(
    'button',
    { class: 'accent', type: 'button', 'data-action': 'copy' },
    icon('invite'),
    h('span', { t: 'copyLink' }),
  );
  copyButton.addEventListener('click', () => copy(url, field, copyButton));
  const code = qrDataUrl && h('img', { src: qrDataUrl, width: 220, height: 220, alt: '' });
  const form = h(
    'form',
    { method: 'dialog' },
    h('h2', { id: 'invite-title', t: 'inviteTitle' }),
    h('p', { class: 'hush', t: code ? 'inviteTextWithCode' : 'aloneText' }),
    code,
    field,
    h('div', { class: 'choices' }, h('button', { value: 'done', t: 'done' }), copyButton),
  );
  const dialog = h('dialog', { class: 'invite', 'aria-labelledby': 'invite-title' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  copyButton.focus();
}

/** Offers the link of the room in the way this device is used to. */
export async function invite(roomId, token) {
  if (document.querySelector('dialog')) return;
  const url = inviteUrl(roomId);
  if (matchMedia('(pointer: coarse)').matches && navigator.share) {
    await navigator.share({ title: 'Roda', text: t('inviteText'), url }).catch(() => {}); // changed their mind
    return;
  }
  const known = await askServer(roomId, token);
  openDialog(known?.joinURL ?? url, known?.qrDataUrl ?? null);
}
