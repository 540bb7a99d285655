// Where is the server, and how is it asked over HTTP?
// SPDX-License-Identifier: MIT
import { SignalError } from './signal.js';

/** The WebSocket of that server, with what is not empty of `params` in its query. */
export function socketUrl(server, params) {
  const url = new URL('/ws', server);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('dialect', 'signal');
  for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
  return url.href;
}

/** Asks a route of the server, as whoever the WebSocket is; rejects with a SignalError. */
export async function askServer(server, { token, userId }, method, path, body) {
  const url = new URL(path, server);
  if (!token && userId) url.searchParams.set('user', userId);
  const headers = {
    ...(token && { authorization: `Bearer ${token}` }),
    ...(body && { 'content-type': 'application/json' }),
  };
  const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) }).catch(() => {
    throw new SignalError('offline', 'the server cannot be reached');
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new SignalError(answer.error?.code ?? 'internal', answer.error?.message ?? response.statusText);
}
