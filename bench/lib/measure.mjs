// What does one server cost under one load?
// SPDX-License-Identifier: MIT
import { cpuOf, memoryOf, sleep, until } from './process.mjs';
import { each, makeRooms, streamsOf } from './room.mjs';
import { Swarm } from './swarm.mjs';

const SETTLE_MS = 2000;

/** A swarm and a server, and rooms added as wanted. */
export class Stage {
  rooms = [];

  static async make(peer, { context, traffic, pinned = true }) {
    const stage = new Stage();
    const { net, build, root, cores } = context;
    stage.swarm = new Swarm(`${build}/bench/load/swarm`, traffic, { core: cores.swarm, address: context.swarmAddress });
    try {
      stage.server = await peer.start({
        net, build, root, swarm: stage.swarm,
        address: context.serverAddress,
        core: pinned ? cores.server : null,
      });
    } catch (error) {
      await stage.swarm.stop();
      throw error;
    }
    return stage;
  }

  /** Fills rooms and waits until every stream flows to everybody who should get it. */
  async add(shape) {
    const rooms = makeRooms(shape, this.rooms.length + 1);
    this.rooms.push(...rooms);
    await each(rooms, 2, (room) => this.server.fill(room));
    const wanted = streamsOf(this.rooms);
    let seen;
    try {
      await until('all streams', async () => {
        this.swarm.begin();
        await sleep(500);
        seen = await this.swarm.end();
        return seen.streams === wanted && seen.silent === 0;
      }, { patienceMs: 30000 });
    } catch {
      throw new Error(`${seen.streams} of ${wanted} streams came, ${seen.silent} of them silent`);
    }
  }

  /** One window: cost per packet that arrived, loss, delay. */
  async measure(seconds) {
    const { pid } = this.server;
    this.swarm.begin();
    const before = cpuOf(pid);
    await sleep(seconds * 1000);
    const after = cpuOf(pid);
    const result = await this.swarm.end();
    const cpuS = after.exactS > before.exactS ? after.exactS - before.exactS : after.ticksS - before.ticksS;
    return {
      ...result,
      cpu_s: cpuS,
      cpu_ticks_s: after.ticksS - before.ticksS,
      cpu_share: cpuS / result.seconds,
      us_per_packet: (cpuS * 1e6) / result.packets,
      packets_per_s: result.packets / result.seconds,
      loss: result.expected ? result.lost / result.expected : 1,
      // What waits somewhere is not lost, but did not arrive either.
      delivered: result.packets / (result.sent.packets * this.#receiversPerPacket()),
      swarm_share: result.swarm_cpu_s / result.seconds,
      rss_kib: memoryOf(pid),
    };
  }

  #receiversPerPacket() {
    const [{ members }] = this.rooms;
    const [publisher] = members.filter(({ audio, video }) => audio || video);
    return members.filter((one) => one.listens && one !== publisher).length;
  }

  async stop() {
    await this.server.stop();
    await this.swarm.stop();
  }
}

/** Starts server and swarm, fills the rooms, measures one window, ends both. */
export async function measureOnce(peer, { context, traffic, shape, seconds }) {
  const stage = await Stage.make(peer, { context, traffic });
  try {
    await stage.add(shape);
    await sleep(SETTLE_MS);
    return { ...(await stage.measure(seconds)), settings: stage.server.settings };
  } catch (error) {
    error.message += `\n${stage.server.said.split('\n').slice(-15).join('\n')}`;
    throw error;
  } finally {
    await stage.stop();
  }
}
