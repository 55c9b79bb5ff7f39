/** The indexes on a node's disk, which outlive its process, and how it gets those of volumes that others have made. */
import type { Root } from '../../blocks/types.ts';
import { call } from './calls.ts';
import type { SimVolume } from './images.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const ENTRY_BYTES = 36;
const TIMEOUT_MS = 10_000;
/** Others that are asked when none of the makers has it. */
const STRANGERS = 3;

export class SimVolumes {
  readonly #here = new Map<Root, SimVolume>();

  has(root: Root): boolean {
    return this.#here.has(root);
  }

  async blocks(root: Root): Promise<SimVolume | undefined> {
    return this.#here.get(root);
  }

  put(volume: SimVolume): void {
    this.#here.set(volume.root, volume);
  }

  remove(root: Root): void {
    this.#here.delete(root);
  }

  all(): Iterable<SimVolume> {
    return this.#here.values();
  }

  wipe(): void {
    this.#here.clear();
  }
}

/** From a maker, or else from others; published once it is written. */
export async function fetchIndex(world: World, node: SimNode, root: Root): Promise<void> {
  const { members } = node;
  const makers = node.makersOf(root).map((name) => world.node(name));
  for (const to of [...makers.filter((maker) => members.isAlive(maker)), ...members.someAlive(STRANGERS)]) {
    if (to === node) continue;
    if (to.volumes.has(root)) world.counts.indexAsks++;
    const volume = await indexFrom(world, node, to, root).catch(() => undefined);
    if (!volume) continue;
    await node.written();
    node.volumes.put(volume);
    return;
  }
  throw new Error(`nobody sends the index of ${root}`);
}

function indexFrom(world: World, from: SimNode, to: SimNode, root: Root): Promise<SimVolume | undefined> {
  return call(world, {
    from,
    to,
    requestBytes: 32,
    timeoutMs: TIMEOUT_MS,
    serve: async () => {
      const value = await to.volumes.blocks(root);
      return { value, bytes: ENTRY_BYTES * (value?.blockCount ?? 0) };
    },
  });
}
