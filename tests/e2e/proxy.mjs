// How is a network cable pulled out and put back? (a TCP relay that can be cut, for WebSocket and HTTP)
// SPDX-License-Identifier: MIT
import { createServer, connect } from 'node:net';

/**
 * {url, aim(targetUrl), cut(), mend(), stop()}: while cut (and before it is aimed), every connection is gone and new
 * ones are refused.
 */
export async function startProxy({ host = '127.0.0.1' } = {}) {
  let target = null;
  const sockets = new Set();
  let isCut = false;
  const relay = createServer((near) => {
    if (isCut || !target) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()); // the other end went: 'close' follows
      socket.on('close', () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise((resolve) => relay.listen(0, host, resolve));
  const cut = () => {
    isCut = true;
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://${host}:${relay.address().port}`,
    aim: (targetUrl) => (target = new URL(targetUrl)),
    cut,
    mend: () => (isCut = false),
    stop: () => {
      cut();
      return new Promise((resolve) => relay.close(resolve));
    },
  };
}
