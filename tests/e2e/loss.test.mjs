// Does one subscriber who loses 3 % of the packets still see a moving picture, and do the others not notice?
// SPDX-License-Identifier: MIT
//
// The subscriber is a browser in a network namespace of its own, behind a veth pair; nft drops there. Needs root.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { after, test } from 'node:test';
import {
  framesRising,
  gather,
  heard,
  inboundVideo,
  join,
  noProblems,
  startChromium,
  startServer,
  waitFor,
} from './harness.mjs';
import { startProxy } from './proxy.mjs';

const LOSS_PERCENT = 3;
const NAMESPACE = `roda${process.pid}`;
const SUBNET = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 256}`; // another test may run beside this one
const OUTSIDE = { device: `rv${process.pid}`, address: `${SUBNET}.1` };
const INSIDE = { device: `rw${process.pid}`, address: `${SUBNET}.2` };
const undo = [];

function run(command) {
  return execFileSync('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'] }).toString();
}

/** Makes the namespace; returns why it cannot be made, or null. */
function makeNamespace() {
  if (process.getuid() !== 0) return 'needs root to make a network namespace';
  try {
    run(`ip netns add ${NAMESPACE}`);
    undo.push(() => run(`ip netns del ${NAMESPACE}`));
    run(`ip link add ${OUTSIDE.device} type veth peer name ${INSIDE.device} netns ${NAMESPACE}`);
    run(`ip addr add ${OUTSIDE.address}/24 dev ${OUTSIDE.device} && ip link set ${OUTSIDE.device} up`);
    const within = (command) => run(`ip netns exec ${NAMESPACE} ${command}`);
    within(`ip addr add ${INSIDE.address}/24 dev ${INSIDE.device}`);
    within(`ip link set ${INSIDE.device} up`);
    within('ip link set lo up');
    within('nft add table inet loss');
    within("nft 'add chain inet loss in { type filter hook input priority 0; }'");
    within("nft 'add chain inet loss out { type filter hook output priority 0; }'");
    for (const chain of ['in', 'out']) {
      within(
        `nft 'add rule inet loss ${chain} ip protocol udp numgen random mod 100 < ${LOSS_PERCENT} counter drop'`,
      );
    }
    return null;
  } catch (error) {
    return `no network namespace with nft here: ${String(error.stderr || error.message).trim()}`;
  }
}

/** A program that starts Chromium inside the namespace. */
function wrapper() {
  const folder = mkdtempSync(joinPath(tmpdir(), 'roda-loss-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  const file = joinPath(folder, 'chromium');
  const chromium = process.env.CHROMIUM ?? '/usr/bin/chromium';
  writeFileSync(file, `#!/bin/sh\nexec ip netns exec ${NAMESPACE} ${chromium} "$@"\n`);
  chmodSync(file, 0o755);
  return file;
}

after(async () => {
  for (const step of undo.reverse()) await step();
});

test(`${LOSS_PERCENT} % loss towards one subscriber`, async (t) => {
  const reason = makeNamespace();
  if (reason) return t.skip(reason);
  const proxy = await startProxy({ host: OUTSIDE.address });
  undo.push(() => proxy.stop());
  const server = await startServer({ MEDIA_BIND: OUTSIDE.address, FRONTEND_URL: proxy.url });
  undo.push(() => server.stop());
  proxy.aim(server.url);
  const near = await startChromium();
  undo.push(() => near.stop());
  const people = await gather(near, server, 2);
  const far = await startChromium({
    executablePath: wrapper(),
    flags: [`--unsafely-treat-insecure-origin-as-secure=${proxy.url}`],
  });
  undo.push(() => far.stop());
  const lossy = { page: await far.newPage(), name: 'Longe' };
  lossy.id = await join(lossy.page, { url: proxy.url, room: people[0].room, name: lossy.name });

  const [ana, bia] = people;
  await framesRising(ana.page, bia.id);
  await heard(ana.page, bia.id);
  const before = await inboundVideo(ana.page, bia.id);
  await framesRising(lossy.page, ana.id, { count: 100, timeout: 30_000 });
  await framesRising(lossy.page, bia.id);
  await heard(lossy.page, ana.id);
  await framesRising(ana.page, lossy.id, { count: 30, timeout: 30_000 });

  const dropped = run(`ip netns exec ${NAMESPACE} nft list chain inet loss in`);
  assert.ok(Number(/counter packets (\d+)/.exec(dropped)[1]) > 5, 'packets were dropped indeed');
  const frozen = await inboundVideo(lossy.page, ana.id);
  assert.ok(frozen.freezes <= 3, `a picture that freezes ${frozen.freezes} times is not a call`);
  const now = await inboundVideo(ana.page, bia.id);
  assert.equal(now.lost - before.lost, 0, 'the others lose nothing');
  assert.equal(now.freezes - before.freezes, 0, 'and nothing freezes for them');
  await waitFor('everybody still there', () => ana.page.evaluate(() => roda.client.participants.size === 2));
  noProblems([...people, lossy]);
});
