/** Placement, as the task uses it: whom a want is asked of because they own its block. */
import type { BlockId, Root } from '../blocks/types.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import type { Chance } from './scheduler.ts';
import { type Candidate, type Choose, chooserAmong } from './scheduler-owners.ts';
import type { BlockWant } from './transfer.ts';

export interface Placed {
  /** This node's own name. */
  self: string;
  /** Names of the nodes that own a block, best first; the same on every node. Empty: nobody does. */
  owners(id: BlockId): readonly string[];
}

/** undefined: placement has nothing to say to this want. */
export type PlacedChance = (want: BlockWant, link: Link) => Chance | undefined;

export class Placing {
  readonly #placed: Placed;
  readonly #holders: Holders;

  constructor(placed: Placed, holders: Holders) {
    this.#placed = placed;
    this.#holders = holders;
  }

  isOwn(id: BlockId): boolean {
    return this.#placed.owners(id).includes(this.#placed.self);
  }

  /** For one moment: the links that are up. What is asked of many wants and links is found out once. */
  among(up: readonly Link[], isSlack: (link: Link) => boolean): PlacedChance {
    const { self, owners: ownersOf } = this.#placed;
    const choosers = new Map<Root | undefined, Choose<Link>>();
    const known = new Map<BlockWant, { owners: readonly string[]; choice: Set<Link> }>();
    const placed = (want: BlockWant) => {
      const before = known.get(want);
      if (before) return before;
      const choose = choosers.get(want.root) ?? chooserAmong(this.#candidates(want.root, up, isSlack));
      choosers.set(want.root, choose);
      const owners = ownersOf(want.id);
      const choice = choose(owners, self, (link) => want.refusedBy.has(link));
      known.set(want, { owners, choice });
      return { owners, choice };
    };
    return (want, link) => {
      const { owners, choice } = placed(want);
      if (owners.length === 0) return undefined;
      if (want.priority === 'demand') return owners.includes(link.name) ? 'has' : undefined;
      if (choice.size > 0) return choice.has(link) ? 'soon' : 'no';
      if (!up.some((other) => this.#isWhole(want, other))) return undefined;
      return this.#isWhole(want, link) ? 'has' : 'no';
    };
  }

  #candidates(
    root: Root | undefined,
    up: readonly Link[],
    isSlack: (link: Link) => boolean,
  ): Candidate<Link>[] {
    return up.map((link) => ({
      source: link,
      name: link.name,
      bytesPerSecond: link.meter.bytesPerSecond,
      isSlack: isSlack(link),
      isWhole: this.#holders.of(root, link.name) === 'whole',
    }));
  }

  /** It has the volume, and has not said otherwise of this block. */
  #isWhole(want: BlockWant, link: Link): boolean {
    return this.#holders.of(want.root, link.name) === 'whole' && !want.refusedBy.has(link);
  }
}
