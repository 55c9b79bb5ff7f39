/** What happens to a cluster, at random: work, and faults that end by themselves after a while. */
import { MAX_MEMBERS } from '../../peers/placement/owners.ts';
import { GONE_MS } from './membership.ts';
import type { Port } from './network.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

interface Happening {
  weight: number;
  /** No fault: what a cluster is for. */
  isWork?: true;
  happen(world: World, node: SimNode): void;
}

const SECOND = 1000;

/** What a link that has been slow goes back to: it may be made slower while it is slow. */
const speeds = new WeakMap<Port, Pick<Port, 'upBytesPerSecond' | 'downBytesPerSecond' | 'latencyMs'>>();

/** Most faults end before the others take the node for gone, some do not. */
const faultMs = (world: World) => world.random.exponential(GONE_MS / 2);

function later(world: World, ms: number, what: () => void): void {
  world.time.after(ms, what);
}

function restart(world: World, node: SimNode, afterMs: number): void {
  later(world, afterMs, () => {
    if (node.process || world.isCalm) return;
    world.note(`${node.name} starts`);
    world.start(node);
  });
}

const HAPPENINGS: Record<string, Happening> = {
  ingest: { weight: 12, isWork: true, happen: (world, node) => void world.ingest(node) },
  run: {
    weight: 12,
    isWork: true,
    happen(world, node) {
      const known = [...world.images].filter(({ volumes }) =>
        volumes.every(({ root }) => node.isLiving(root)),
      );
      const image = known.length > 0 ? world.random.pick(known) : undefined;
      if (image) void world.run(node, image, world.random.exponential(200 * SECOND));
    },
  },
  remove: {
    weight: 2,
    happen(world, node) {
      if (world.images.size > 3) void world.removeImage(node, world.random.pick([...world.images]));
    },
  },
  crash: {
    weight: 5,
    happen(world, node) {
      world.crash(node);
      restart(world, node, faultMs(world));
    },
  },
  powerLoss: {
    weight: 5,
    happen(world, node) {
      world.losePower(node);
      restart(world, node, faultMs(world));
    },
  },
  destroy: {
    weight: 2,
    happen(world, node) {
      if (world.running().length < world.replicas + 4 || world.isOnlyWith(node)) return;
      world.destroy(node);
      if (world.random.chance(0.7)) restart(world, node, faultMs(world));
    },
  },
  rot: {
    weight: 3,
    happen(world, node) {
      const ids = [...node.disk.ids()].filter((id) => !node.isInUse(id));
      if (ids.length > 0) world.rot(node, world.random.pick(ids));
    },
  },
  join: {
    weight: 2,
    happen(world) {
      if (world.nodes.length < MAX_MEMBERS) world.join();
    },
  },
  leave: {
    weight: 1,
    happen(world, node) {
      if (world.running().length > world.replicas + 4) world.leave(node);
    },
  },
  partition: {
    weight: 3,
    happen(world) {
      world.partition(world.random.whole(2, 4));
      later(world, faultMs(world) * 2, () => world.heal());
    },
  },
  lie: {
    weight: 3,
    happen(world, node) {
      world.note(`${node.name} lies`);
      node.isLiar = true;
      for (let times = 0; times < 5; times++)
        later(world, times * SECOND, () => node.process?.directory.slander());
      later(world, faultMs(world), () => {
        node.isLiar = false;
      });
    },
  },
  slowLink: {
    weight: 4,
    happen(world, { name, port }) {
      world.note(`the link of ${name} is slow`);
      const { upBytesPerSecond, downBytesPerSecond, latencyMs } = port;
      const speed = speeds.get(port) ?? { upBytesPerSecond, downBytesPerSecond, latencyMs };
      speeds.set(port, speed);
      port.upBytesPerSecond = port.downBytesPerSecond = world.random.between(30_000, 500_000);
      port.latencyMs = world.random.between(50, 1000);
      later(world, faultMs(world), () => void Object.assign(port, speed));
    },
  },
  fullDisk: {
    weight: 3,
    happen(world, { name, disk, member }) {
      world.note(`the disk of ${name} is full`);
      disk.capacityBytes = disk.bytes;
      later(world, faultMs(world), () => {
        disk.capacityBytes = member.capacityBytes;
      });
    },
  },
};

const TOTAL_WEIGHT = Object.values(HAPPENINGS).reduce((sum, { weight }) => sum + weight, 0);

function pickHappening(world: World): Happening {
  let left = world.random.between(0, TOTAL_WEIGHT);
  for (const happening of Object.values(HAPPENINGS)) {
    left -= happening.weight;
    if (left < 0) return happening;
  }
  throw new RangeError('weights do not sum up');
}

/** Lets things happen until that time, one every `meanMs` on average. */
export function unleash(world: World, untilMs: number, meanMs: number): void {
  const next = () => {
    if (world.time.nowMs >= untilMs) return;
    const nodes = world.running();
    if (nodes.length > 0) {
      const happening = pickHappening(world);
      if (!happening.isWork) world.counts.faults++;
      happening.happen(world, world.random.pick(nodes));
    }
    world.time.after(world.random.exponential(meanMs), next);
  };
  world.time.after(world.random.exponential(meanMs), next);
}

/** Ends all faults: every machine whose disk was not destroyed is back, the network is whole, every container has ended. */
export function calm(world: World): void {
  world.isCalm = true;
  world.heal();
  for (const node of world.nodes) {
    node.disk.capacityBytes = node.member.capacityBytes;
    node.isLiar = false;
    for (const image of [...node.containers.keys()]) while (node.containers.has(image)) node.unuse(image);
    if (!node.process && node.disk.stats().count > 0) world.start(node);
  }
}
