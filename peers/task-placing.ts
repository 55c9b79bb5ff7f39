/** Placement, as the task uses it: whom a want is asked of because they own its block. */
import type { BlockId } from '../blocks/types.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import type { Chance } from './scheduler.ts';
import { awaited, type Candidate } from './scheduler-owners.ts';
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

  /** For one moment: the links that are up. */
  among(up: readonly Link[], isSlack: (link: Link) => boolean): PlacedChance {
    const chosen = new Map<BlockWant, Set<Link>>();
    const choose = (want: BlockWant) => {
      const known = chosen.get(want);
      if (known) return known;
      const choice = this.#choose(want, up, isSlack);
      chosen.set(want, choice);
      return choice;
    };
    return (want, link) => {
      const owners = this.#placed.owners(want.id);
      if (owners.length === 0) return undefined;
      if (want.priority === 'demand') return owners.includes(link.name) ? 'has' : undefined;
      const choice = choose(want);
      if (choice.size > 0) return choice.has(link) ? 'soon' : 'no';
      if (!up.some((other) => this.#isWhole(want, other))) return undefined;
      return this.#isWhole(want, link) ? 'has' : 'no';
    };
  }

  /** It has the volume, and has not said otherwise of this block. */
  #isWhole(want: BlockWant, link: Link): boolean {
    return this.#holders.of(want.root, link.name) === 'whole' && !want.refusedBy.has(link);
  }

  #choose(want: BlockWant, up: readonly Link[], isSlack: (link: Link) => boolean): Set<Link> {
    const candidates = up.map(
      (link): Candidate<Link> => ({
        source: link,
        name: link.name,
        bytesPerSecond: link.meter.bytesPerSecond,
        isSlack: isSlack(link),
        isWhole: this.#holders.of(want.root, link.name) === 'whole',
      }),
    );
    const { self, owners } = this.#placed;
    return awaited(owners(want.id), self, candidates, (link) => want.refusedBy.has(link));
  }
}
