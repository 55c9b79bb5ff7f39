/**
 * Stands in for the directory: which volumes each node knows. News (a volume is there, a volume was removed everywhere) go
 * from node to node: each second a fifth of the nodes exchange what they know with one that they reach. What a node knows is
 * on its disk. The real directory takes the place of `DirectoryView`, which is what custody sees of it.
 */
import type { BlockId, Root } from '../../blocks/types.ts';
import type { KnownVolumes } from '../../peers/placement/types.ts';
import type { SimVolume } from './images.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

type News = { kind: 'living' | 'removed'; volume: SimVolume };

const ROUND_MS = 1000;
const SHARE = 0.2;

export class Directory {
  readonly news: News[] = [];
  readonly #world: World;
  #isSpreading = false;

  constructor(world: World) {
    this.#world = world;
  }

  publish(by: SimNode, kind: News['kind'], volume: SimVolume): void {
    by.directory.learn(this.news.push({ kind, volume }) - 1);
    this.spread();
  }

  /** Something is known to this node alone. What becomes of news that go with a disk is the real directory's matter. */
  isOnlyWith(node: SimNode): boolean {
    const others = this.#world.nodes.filter((other) => other !== node);
    return this.news.some(
      (_, item) => node.directory.hasHeard(item) && !others.some((other) => other.directory.hasHeard(item)),
    );
  }

  /** Exchanges until all know all; to be called again when a node may have missed something. */
  spread(): void {
    if (this.#isSpreading) return;
    this.#isSpreading = true;
    this.#world.time.after(ROUND_MS, () => this.#round(), true);
  }

  #round(): void {
    this.#isSpreading = false;
    const { nodes, network, random } = this.#world;
    for (const node of nodes) {
      if (!node.process || !random.chance(SHARE)) continue;
      const other = random.pick(nodes);
      if (!other.process || !network.reaches(node.port, other.port)) continue;
      node.directory.learnFrom(other.directory);
      other.directory.learnFrom(node.directory);
    }
    if (nodes.some((node) => node.port.on && node.directory.size < this.news.length)) this.spread();
  }
}

export class DirectoryView implements KnownVolumes {
  version = 0;
  readonly #directory: Directory;
  readonly #onChange: () => void;
  readonly #heard = new Set<number>();
  readonly #living = new Map<Root, SimVolume>();
  readonly #removed = new Map<Root, SimVolume>();

  constructor(directory: Directory, onChange: () => void) {
    this.#directory = directory;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#heard.size;
  }

  hasHeard(item: number): boolean {
    return this.#heard.has(item);
  }

  learnFrom(other: DirectoryView): void {
    if (other.size === this.size && this.size === this.#directory.news.length) return;
    for (const item of other.#heard) this.learn(item);
  }

  learn(item: number): void {
    if (this.#heard.has(item)) return;
    this.#heard.add(item);
    const { kind, volume } = this.#directory.news[item]!;
    if (kind === 'removed') {
      this.#living.delete(volume.root);
      this.#removed.set(volume.root, volume);
    } else if (!this.#removed.has(volume.root)) {
      this.#living.set(volume.root, volume);
    }
    this.version++;
    this.#onChange();
  }

  forget(): void {
    this.#heard.clear();
    this.#living.clear();
    this.#removed.clear();
    this.version++;
  }

  /** Every block of a known volume. */
  *names(): Iterable<BlockId> {
    for (const volumes of [this.#living, this.#removed]) {
      for (const { blocks } of volumes.values()) for (const { id } of blocks) yield id;
    }
  }

  isLiving(root: Root): boolean {
    return this.#living.has(root);
  }

  living(): Iterable<Root> {
    return this.#living.keys();
  }

  removed(): Iterable<Root> {
    return this.#removed.keys();
  }

  async blocks(root: Root): Promise<SimVolume | undefined> {
    return this.#living.get(root) ?? this.#removed.get(root);
  }
}
