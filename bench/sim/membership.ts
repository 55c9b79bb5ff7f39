/**
 * Stands in for the roster: what each node believes the members to be. Whoever can be reached is a member; whoever cannot is
 * suspected, and gone after `GONE_MS`; whoever says that it leaves is out once that is heard. Each node notices a change after
 * a delay of its own, so the nodes' views differ for seconds, and under a partition for as long as it lasts.
 *
 * A view outlives its node's process, as the roster's does on disk. The real roster takes the place of `MemberView`: custody
 * sees `owners` and is told of changes, nothing else.
 */
import { type Member, Owners } from '../../peers/placement/owners.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const NOTICE_MIN_MS = 100;
const NOTICE_MAX_MS = 5000;
export const GONE_MS = 60_000;

export class MemberView {
  owners: Owners;
  readonly #world: World;
  readonly #node: SimNode;
  readonly #unreachableSinceMs = new Map<SimNode, number>();
  readonly #left = new Set<SimNode>();
  #isNoticing = false;

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
    this.owners = world.tables.for([node.member], undefined);
  }

  /** Looks around soon, and again when what cannot be reached by then would be gone. */
  noticeSoon(): void {
    const { time, random } = this.#world;
    if (this.#isNoticing) return;
    this.#isNoticing = true;
    const delayMs = random.between(NOTICE_MIN_MS, NOTICE_MAX_MS);
    time.after(delayMs, () => this.#notice(), true);
    time.after(delayMs + GONE_MS, () => this.look(), true);
  }

  #notice(): void {
    this.#isNoticing = false;
    this.look();
  }

  look(): void {
    const node = this.#node;
    if (!node.process) return;
    const members = node.isLeaving ? [] : [node.member];
    for (const other of this.#world.nodes) {
      if (other !== node && this.#isMember(other)) members.push(other.member);
    }
    const owners = this.#world.tables.for(members, this.owners);
    if (owners === this.owners) return;
    this.owners = owners;
    node.process.custodian.membersChanged();
  }

  #isMember(other: SimNode): boolean {
    const { nowMs } = this.#world.time;
    if (this.#world.network.reaches(this.#node.port, other.port) && other.process) {
      this.#unreachableSinceMs.delete(other);
      if (other.isLeaving) this.#left.add(other);
      else this.#left.delete(other);
    } else if (!this.#unreachableSinceMs.has(other)) {
      this.#unreachableSinceMs.set(other, nowMs);
    }
    if (this.#left.has(other)) return false;
    const sinceMs = this.#unreachableSinceMs.get(other);
    return sinceMs === undefined || nowMs - sinceMs < GONE_MS;
  }
}

/** Tables of owners by members, shared by all nodes that see the same: a real node has its own. */
export class Tables {
  readonly #replicas: number;
  readonly #tables = new Map<string, Owners>();

  constructor(replicas: number) {
    this.#replicas = replicas;
  }

  for(members: readonly Member[], before: Owners | undefined): Owners {
    const key = members
      .map(({ name }) => name)
      .sort()
      .join();
    const known = this.#tables.get(key);
    if (known) return known;
    if (this.#tables.size >= 64) this.#tables.clear();
    const table = before?.next(members) ?? Owners.of(members, this.#replicas);
    this.#tables.set(key, table);
    return table;
  }
}
