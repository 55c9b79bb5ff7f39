/**
 * The real directory on a simulated node: its records outlive the process, and go with the disk. News are gossiped to the nodes that
 * can be reached, where most of it arrives; what does not is made up for by pulling from a member now and then, and soon after one
 * can be reached again. A member that lies sends records that are not what they claim to be; they must be refused.
 */

import type { ChainId } from '../../blocks/types.ts';
import { answering } from '../../peers/directory/answering.ts';
import { Directory } from '../../peers/directory/directory.ts';
import { Reconciler } from '../../peers/directory/reconcile.ts';
import type { Held, ReconcilePeer, SignedRecord } from '../../peers/directory/types.ts';
import { Timers } from '../../peers/placement/timers.ts';
import { call } from './calls.ts';
import type { SimNode } from './node.ts';
import { forged } from './records.ts';
import type { World } from './world.ts';

/** A real node pulls as often. */
export const PULL_EVERY_MS = 60_000;
const PULL_SOON_MS = 2000;
const PULL_TIMEOUT_MS = 30_000;
const GOSSIP_MAX_MS = 1500;
const GOSSIP_LOSS = 0.05;
/** Of those who see that a node is back, about so many pull from it. */
const WELCOMES = 3;
const FORGED_CHANCE = 0.2;
const RECORD_BYTES = 900;
const ID_BYTES = 32;

export class SimDirectory {
  readonly directory: Directory;
  readonly #world: World;
  readonly #node: SimNode;
  readonly #reconciler: Reconciler;
  readonly #timers: Timers;
  readonly #answers: ReconcilePeer;

  constructor(world: World, node: SimNode, directory: Directory) {
    this.#world = world;
    this.#node = node;
    this.directory = directory;
    this.#answers = answering(directory);
    directory.onAdd((held, record) => this.#judge(held, record));
    for (const chainId of node.removedLayers) this.#judgeRemoved(chainId);
    this.#timers = new Timers(node.clock);
    this.#reconciler = new Reconciler({ directory, clock: node.clock, log: world.log(node) });
    this.#pullLater();
  }

  static async open(world: World, node: SimNode): Promise<SimDirectory> {
    const directory = await Directory.open({
      store: node.records,
      verifier: world.verifier,
      signer: node.signer,
      clock: node.clock,
      log: world.log(node),
    });
    return new SimDirectory(world, node, directory);
  }

  close(): void {
    this.#timers.stop();
    this.directory.close();
  }

  #judge(held: Held, record: SignedRecord): void {
    const { name, removedLayers } = this.#node;
    if (this.#world.lies.has(record)) this.#world.oracle.report(`${name} believes a forged record`);
    if (held.kind === 'removal') for (const chainId of held.content.chainIds) removedLayers.add(chainId);
    if (held.kind === 'layer') this.#judgeRemoved(held.content.chainId);
  }

  /** No layer is made twice here, so what was removed never comes back. */
  #judgeRemoved(chainId: ChainId): void {
    if (!this.#node.removedLayers.has(chainId)) return;
    if (this.directory.layersByChainId(chainId).length > 0)
      this.#world.oracle.report(`${this.#node.name} has layer ${chainId}, which it knew to be removed`);
  }

  /** What this node has said is told to all that it reaches. */
  gossip(said: readonly Held[]): void {
    const { nodes, network, random } = this.#world;
    const records = said.map(({ id }) => this.directory.record(id)!);
    for (const to of nodes) {
      if (to === this.#node || !to.process || random.chance(GOSSIP_LOSS)) continue;
      const delayMs = random.between(0, GOSSIP_MAX_MS);
      this.#timers.after(delayMs, () =>
        network.send(this.#node.port, to.port, RECORD_BYTES * records.length, () => hear(to, records)),
      );
    }
  }

  /** A lie: another's record under this node's name. */
  slander(): void {
    const [id] = this.directory.ids(this.#world.random.whole(0, 256));
    const record = id === undefined ? undefined : this.directory.record(id);
    if (!record) return;
    const lie = this.#lie(record);
    for (const to of this.#world.random.some(this.#world.nodes, 3)) {
      if (to !== this.#node)
        this.#world.network.send(this.#node.port, to.port, RECORD_BYTES, () => hear(to, [lie]));
    }
  }

  /** A member can be reached again. */
  isBack(member: SimNode): void {
    const { random, nodes } = this.#world;
    if (!random.chance(WELCOMES / nodes.length)) return;
    this.#timers.after(random.between(0, PULL_SOON_MS), () => void this.#pull(member));
  }

  #pullLater(): void {
    const { random } = this.#world;
    this.#timers.after(PULL_EVERY_MS * random.between(0.5, 1.5), () => {
      this.#pullLater();
      const from = this.#node.members.someAlive(1)[0];
      if (from) void this.#pull(from);
    });
  }

  async #pull(from: SimNode): Promise<void> {
    this.#world.counts.pulls++;
    await this.#reconciler.pull(this.#remote(from), from.name).catch(() => {});
  }

  #remote(to: SimNode): ReconcilePeer {
    const ask = <T>(requestBytes: number, answer: (peer: SimDirectory) => Promise<[T, number]>) =>
      call(this.#world, {
        from: this.#node,
        to,
        requestBytes,
        timeoutMs: PULL_TIMEOUT_MS,
        serve: async () => {
          const [value, bytes] = await answer(to.process!.directory);
          return { value, bytes };
        },
      });
    return {
      digest: () => ask(0, async (peer) => [await peer.#answers.digest(), 8192]),
      ids: (buckets, after) =>
        ask(buckets.length, async (peer) => {
          const page = await peer.#answers.ids(buckets, after);
          return [page, page.ids.length * ID_BYTES];
        }),
      records: (ids) =>
        ask(ids.length * ID_BYTES, async (peer) => {
          const records = (await peer.#answers.records(ids)).map((record) => peer.#told(record));
          return [records, records.length * RECORD_BYTES];
        }),
    };
  }

  /** In this node's name; what it has said itself is no lie. */
  #lie(record: SignedRecord): SignedRecord {
    const lie = forged(record, this.#node.name);
    if (Buffer.compare(lie.certificate, record.certificate) !== 0) this.#world.lies.add(lie);
    return lie;
  }

  #told(record: SignedRecord): SignedRecord {
    const { random } = this.#world;
    return this.#node.isLiar && random.chance(FORGED_CHANCE) ? this.#lie(record) : record;
  }
}

/** Records that came by themselves: put, if they are good. */
function hear(node: SimNode, records: readonly SignedRecord[]): void {
  for (const record of records) node.process?.directory.directory.put(record).catch(() => {});
}
