// How is somebody told of a call who looks elsewhere?
// SPDX-License-Identifier: MIT
import { t } from './i18n.js';

/** `default` (not asked yet), `granted`, `denied` or `unsupported`. */
export function notifyState() {
  return globalThis.isSecureContext && globalThis.Notification ? Notification.permission : 'unsupported';
}

/** Asks the person; to be called from a tap. */
export async function askToNotify() {
  if (notifyState() === 'default') await Notification.requestPermission();
  return notifyState();
}

/** Shows it while the page is hidden; the function it returns takes it away. */
export function notify(titleKey, params, { tag, stays = false }) {
  if (notifyState() !== 'granted' || document.visibilityState === 'visible') return () => {};
  try {
    const shown = new Notification(t(titleKey, params), { tag, requireInteraction: stays, icon: '/icon.svg' });
    shown.onclick = () => {
      window.focus();
      shown.close();
    };
    return () => shown.close();
  } catch {
    return () => {}; // phones want a service worker for it; they ring all the same
  }
}
