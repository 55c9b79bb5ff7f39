/**
 * Knows all disks, and judges. After each event the blocks that it concerned are looked at:
 *
 * - A block is *placed* once `replicas` nodes have pinned it durably, know each living volume that names it, and have no attempt to
 *   drop it open. From then on at least `replicas` nodes less the destroyed ones must hold it pinned, and so one at least until
 *   as many nodes as there are replicas have lost it with their disks (or to rot). When it is placed again the count begins again.
 * - A block that a container uses is not dropped under it.
 * - A block that is not what its name says is not accepted; nor is a forged record, and what a node knew to be removed does not
 *   come back on it (both are seen in directory.ts).
 *
 * When a volume is removed, its blocks are no longer taken for placed, until those that other volumes name are found so again.
 */
import type { BlockId } from '../../blocks/types.ts';
import type { DiskHooks } from './disk.ts';
import type { SimVolume } from './images.ts';
import type { SimNode } from './node.ts';

/** The run has shown something that must not be. */
export class Violation extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'Violation';
  }
}

interface Judged {
  readonly id: BlockId;
  readonly holders: Set<SimNode>;
  readonly pinners: Set<SimNode>;
  /** Living volumes that name it. */
  readonly volumes: Set<SimVolume>;
  isPlaced: boolean;
  /** Names of those that had pinned it and lost it with their disks since it was placed. */
  readonly losers: Set<string>;
}

export class Oracle {
  readonly #replicas: number;
  readonly #blocks = new Map<BlockId, Judged>();
  readonly #touched = new Set<Judged>();
  /** How many times a block was found placed that was not before. */
  placed = 0;
  /** Copies that nodes have dropped. */
  dropped = 0;
  #violation: Violation | undefined;

  constructor(replicas: number) {
    this.#replicas = replicas;
  }

  hooks(node: SimNode): DiskHooks {
    return {
      onPut: (id) => this.#touch(id).holders.add(node),
      onRemove: (id, why) => {
        this.#touch(id).holders.delete(node);
        if (why === 'dropped') this.dropped++;
        if (why === 'dropped' && node.isInUse(id)) {
          this.report(`${node.name} dropped block ${id}, which a container uses`);
        }
      },
      onPin: (id) => this.#touch(id).pinners.add(node),
      onUnpin: (id) => this.#touch(id).pinners.delete(node),
      onWrong: (id) => this.report(`${node.name} took a wrong block for ${id}`),
    };
  }

  holders(id: BlockId): ReadonlySet<SimNode> {
    return this.#block(id).holders;
  }

  pinners(id: BlockId): ReadonlySet<SimNode> {
    return this.#block(id).pinners;
  }

  isPlaced(id: BlockId): boolean {
    return this.#block(id).isPlaced;
  }

  published(volume: SimVolume): void {
    for (const { id } of volume.blocks) this.#touch(id).volumes.add(volume);
  }

  removed(volume: SimVolume): void {
    for (const { id } of volume.blocks) {
      const block = this.#touch(id);
      block.volumes.delete(volume);
      block.isPlaced = false;
      block.losers.clear();
    }
  }

  /** Called before the disk is wiped. */
  destroyed(node: SimNode): void {
    for (const id of node.pins.all()) this.rotten(node, id);
  }

  /** Called before the block goes from this node's disk by no decision of the node. */
  rotten(node: SimNode, id: BlockId): void {
    const block = this.#touch(id);
    if (block.pinners.has(node)) block.losers.add(node.name);
  }

  /** The run ends with it, after the event that is under way. The first counts. */
  report(what: string): void {
    this.#violation ??= new Violation(what);
  }

  check(): void {
    for (const block of this.#touched) {
      if (block.volumes.size > 0) this.#judge(block);
    }
    this.#touched.clear();
    if (this.#violation) throw this.#violation;
  }

  #judge(block: Judged): void {
    const kept = [...block.pinners].filter((node) => block.holders.has(node));
    const settled = kept.filter((node) => isSettled(node, block));
    if (settled.length >= this.#replicas) {
      if (!block.isPlaced) this.placed++;
      block.isPlaced = true;
      block.losers.clear();
      return;
    }
    if (!block.isPlaced) return;
    const left = this.#replicas - block.losers.size;
    if (left <= 0) block.isPlaced = false;
    else if (kept.length < left) this.report(describe(block, kept, left));
  }

  #touch(id: BlockId): Judged {
    const block = this.#block(id);
    this.#touched.add(block);
    return block;
  }

  #block(id: BlockId): Judged {
    let block = this.#blocks.get(id);
    if (!block) {
      const none = { holders: new Set<SimNode>(), pinners: new Set<SimNode>() };
      block = { id, ...none, volumes: new Set(), isPlaced: false, losers: new Set() };
      this.#blocks.set(id, block);
    }
    return block;
  }
}

function isSettled(node: SimNode, { id, volumes }: Judged): boolean {
  if (node.process?.custodian.isDropping(id)) return false;
  for (const { root } of volumes) if (!node.knows(root)) return false;
  return true;
}

function describe({ id, holders, losers }: Judged, kept: readonly SimNode[], left: number): string {
  const names = (nodes: Iterable<SimNode>) => [...nodes].map(({ name }) => name).join(' ') || 'nobody';
  return (
    `block ${id} was placed and must be pinned on ${left} nodes; it is on ${names(kept)} ` +
    `(unpinned also: ${names(holders)}; destroyed: ${[...losers].join(' ') || 'none'})`
  );
}
