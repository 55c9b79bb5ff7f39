/**
 * Stands in for the roster: what each node believes the members to be. Whoever can be reached is a member; whoever cannot is
 * suspected, and gone after `GONE_MS`; whoever says that it leaves is out once that is heard. Each node notices a change after
 * a delay of its own, so the nodes' views differ for seconds, and under a partition for as long as it lasts.
 *
 * A view outlives its node's process, as the roster's does on disk. The real roster takes the place of `MemberView`: custody
 * sees `owners` and is told of changes, nothing else. Only what has changed is looked at: in a thousand nodes, one look at all by each
 * would cost more than all else.
 */
import { type Member, Owners } from '../../peers/placement/owners.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const NOTICE_MIN_MS = 100;
const NOTICE_MAX_MS = 5000;
export const GONE_MS = 60_000;
const TABLES_MAX = 256;

export class MemberView {
  owners: Owners;
  /** The key of the members whose owners those are. */
  #ownersOf: string;
  readonly #world: World;
  readonly #node: SimNode;
  /** Others that it believes reachable. */
  readonly #alive = new NodeSet();
  /** Others that it takes for members: alive, or not gone yet. */
  readonly #members = new NodeSet();
  /** By number, since when it has been out of reach, for those that are not gone yet. */
  readonly #lostMs: (number | undefined)[] = [];
  /** How much of the world's changes it has noticed. */
  #noticed = 0;
  #isNoticing = false;

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
    this.#members.put(node, true);
    this.owners = world.tables.for(this.#members, undefined);
    this.#ownersOf = this.#members.key;
  }

  /** Something has changed: it is noticed soon, and again when what cannot be reached by then would be gone. */
  noticeSoon(): void {
    if (this.#isNoticing) return;
    this.#isNoticing = true;
    const { time, random } = this.#world;
    time.after(random.between(NOTICE_MIN_MS, NOTICE_MAX_MS), () => this.#notice(), true);
  }

  isAlive(other: SimNode): boolean {
    return this.#alive.has(other);
  }

  /** Some that it believes reachable, by chance. */
  someAlive(count: number): SimNode[] {
    return this.#alive.some(count, this.#world);
  }

  #notice(): void {
    this.#isNoticing = false;
    const { changes, nodes } = this.#world;
    const changed = changes.slice(this.#noticed);
    this.#noticed = changes.length;
    if (changed.includes(this.#node) || changed.includes('all')) this.#look(nodes);
    else this.#look(new Set(changed.filter((what) => what !== 'all')));
  }

  #look(others: Iterable<SimNode>): void {
    const node = this.#node;
    if (!node.process) return;
    let isChanged = this.#members.put(node, !node.isLeaving);
    const lost: SimNode[] = [];
    for (const other of others) {
      if (other === node) continue;
      const wasAlive = this.#alive.has(other);
      if (this.#lookAt(other)) isChanged = true;
      if (this.#lostMs[other.number] !== undefined) lost.push(other);
      else if (!wasAlive) node.process.directory.isBack(other);
    }
    if (lost.length > 0) this.#world.time.after(GONE_MS, () => this.#look(lost), true);
    if (!isChanged) return;
    if (this.#members.key === this.#ownersOf) return;
    this.#ownersOf = this.#members.key;
    this.owners = this.#world.tables.for(this.#members, this.owners);
    node.process.custodian.membersChanged();
  }

  /** True when it is a member now and was none, or the other way round. */
  #lookAt(other: SimNode): boolean {
    const { network, time } = this.#world;
    const isAlive = network.reaches(this.#node.port, other.port) && other.process !== undefined;
    this.#alive.put(other, isAlive);
    if (isAlive) {
      this.#lostMs[other.number] = undefined;
      return this.#members.put(other, !other.isLeaving);
    }
    const sinceMs = this.#lostMs[other.number] ?? time.nowMs;
    const isGone = time.nowMs - sinceMs >= GONE_MS;
    this.#lostMs[other.number] = isGone ? undefined : sinceMs;
    return isGone && this.#members.put(other, false);
  }
}

/** A set of nodes of which one can be picked by chance, and that has a name for its content. */
class NodeSet {
  readonly #nodes: SimNode[] = [];
  /** Where each is in `#nodes`, by its number. */
  readonly #at: (number | undefined)[] = [];
  #high = 0;
  #low = 0;

  has(node: SimNode): boolean {
    return this.#at[node.number] !== undefined;
  }

  /** True when that changes anything. */
  put(node: SimNode, isIn: boolean): boolean {
    const at = this.#at[node.number];
    if ((at !== undefined) === isIn) return false;
    this.#high ^= node.seed.high;
    this.#low ^= node.seed.low;
    if (at === undefined) {
      this.#at[node.number] = this.#nodes.push(node) - 1;
      return true;
    }
    const last = this.#nodes.pop()!;
    this.#at[node.number] = undefined;
    if (last !== node) {
      this.#nodes[at] = last;
      this.#at[last.number] = at;
    }
    return true;
  }

  /** 64 bits that are the same for the same nodes. */
  get key(): string {
    return `${this.#high} ${this.#low}`;
  }

  members(): Member[] {
    return this.#nodes.map(({ member }) => member);
  }

  some(count: number, { random }: Pick<World, 'random'>): SimNode[] {
    const { length } = this.#nodes;
    if (count >= length) return [...this.#nodes];
    const picked = new Set<SimNode>();
    while (picked.size < count) picked.add(this.#nodes[random.whole(0, length)]!);
    return [...picked];
  }
}

const tables = new Map<number, Tables>();

/** One for all worlds: they have the same nodes, and what a table says follows from its members alone. */
export function tablesOf(replicas: number): Tables {
  const known = tables.get(replicas) ?? new Tables(replicas);
  tables.set(replicas, known);
  return known;
}

/** Tables of owners by members, shared by all nodes that see the same: a real node has its own. */
class Tables {
  readonly #replicas: number;
  /** The last used come last. */
  readonly #tables = new Map<string, Owners>();

  constructor(replicas: number) {
    this.#replicas = replicas;
  }

  for(members: Pick<NodeSet, 'key' | 'members'>, before: Owners | undefined): Owners {
    const { key } = members;
    const known = this.#tables.get(key);
    const table = known ?? this.#make(members.members(), before);
    this.#tables.delete(key);
    this.#tables.set(key, table);
    if (this.#tables.size > TABLES_MAX) this.#tables.delete(this.#tables.keys().next().value!);
    return table;
  }

  #make(members: Member[], before: Owners | undefined): Owners {
    return before?.next(members) ?? Owners.of(members, this.#replicas);
  }
}
