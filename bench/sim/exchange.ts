/**
 * Stands in for the exchange and the task: brings blocks, asks owners. Who has a block is looked up where the simulator knows
 * it; whether they can be reached, still have it and send the right one shows when they are asked.
 */
import type { BlockId } from '../../blocks/types.ts';
import type { PinAnswer, PinRequest } from '../../peers/placement/messages.ts';
import { call } from './calls.ts';
import { blockBytes } from './disk.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const NAME_BYTES = 32;
const ASK_TIMEOUT_MS = 10_000;
const FETCH_TIMEOUT_MS = 60_000;
const SOURCES_MAX = 3;
/** Chance that a source sends a block that is not what it was asked for. */
const WRONG_CHANCE = 0.001;

export type Purpose = 'demand' | 'repair';

export class Exchange {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #coming = new Map<BlockId, Promise<void>>();

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
  }

  async ask(owner: string, request: PinRequest): Promise<readonly PinAnswer[]> {
    const { sabotage, counts } = this.#world;
    if (sabotage === 'pins are invented') return request.ids.map(() => 'kept');
    counts.asks++;
    counts.askedBlocks += request.ids.length;
    const to = this.#world.node(owner);
    return call(this.#world, {
      from: this.#node,
      to,
      requestBytes: NAME_BYTES * (request.roots.length + request.ids.length),
      timeoutMs: ASK_TIMEOUT_MS,
      serve: async () => ({ value: await this.#answer(to, request), bytes: request.ids.length }),
    });
  }

  async #answer(to: SimNode, request: PinRequest): Promise<readonly PinAnswer[]> {
    if (this.#world.sabotage === 'whoever has a block confirms it') {
      return request.ids.map((id) => (to.disk.has(id) ? 'kept' : 'absent'));
    }
    return to.process!.custodian.answer(request);
  }

  /** Resolves once the block is on the disk, not yet synced. Requests for one block are merged. */
  fetch(id: BlockId, purpose: Purpose): Promise<void> {
    if (this.#node.disk.has(id)) return Promise.resolve();
    const coming = this.#coming.get(id) ?? this.#fetch(id, purpose).finally(() => this.#coming.delete(id));
    this.#coming.set(id, coming);
    return coming;
  }

  async #fetch(id: BlockId, purpose: Purpose): Promise<void> {
    const { oracle, network, random } = this.#world;
    const holders = [...oracle.holders(id)].filter(
      (holder) => holder !== this.#node && network.reaches(this.#node.port, holder.port),
    );
    for (const source of random.some(holders, SOURCES_MAX)) {
      const bytes = await this.#bytesFrom(source, id).catch(() => undefined);
      if (!bytes || !(await this.#stored(id, bytes))) continue;
      const count = this.#world.counts[purpose];
      count.blocks++;
      count.bytes += bytes.length;
      return;
    }
    throw new Error(`nobody sends block ${id}`);
  }

  #bytesFrom(source: SimNode, id: BlockId): Promise<Uint8Array | undefined> {
    const { random } = this.#world;
    return call(this.#world, {
      from: this.#node,
      to: source,
      requestBytes: NAME_BYTES,
      timeoutMs: FETCH_TIMEOUT_MS,
      serve: async () => {
        const found = await source.disk.get(id);
        if (!found) return { value: undefined, bytes: 0 };
        const tag = random.chance(WRONG_CHANCE) ? 'something else' : id;
        return { value: blockBytes(tag, found.length), bytes: found.length };
      },
    });
  }

  /** False when it was a wrong block; throws when the disk is full. */
  async #stored(id: BlockId, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#node.disk.put(id, bytes);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw error;
      return false;
    }
  }
}
