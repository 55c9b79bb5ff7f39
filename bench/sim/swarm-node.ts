/**
 * One node of the swarm: the code that a node runs (task, links, scheduler, both ends of the protocol for blocks) on a virtual network, a
 * virtual clock and a disk that takes its time. What is not here: TLS, gRPC, membership; all links are up, and stay so.
 */
import type { Root } from '../../blocks/types.ts';
import type { Clock } from '../../peers/clock.ts';
import { BlockChannel, type Dial } from '../../peers/exchange/block-channel.ts';
import { BlockConnection, heldSlots } from '../../peers/exchange/block-server.ts';
import type { PeerClient } from '../../peers/exchange/client.ts';
import { MAX_CALLS, MAX_CALLS_PER_PEER } from '../../peers/exchange/limits.ts';
import { Slots } from '../../peers/exchange/slots.ts';
import type { ClientTls } from '../../peers/exchange/tls.ts';
import { Holders } from '../../peers/holders.ts';
import { Link } from '../../peers/link.ts';
import { Task } from '../../peers/task.ts';
import type { Placed } from '../../peers/task-placing.ts';
import type { Log } from '../../peers/types.ts';
import type { Network, Port } from './network.ts';
import { connection } from './socket.ts';
import { type Image, SwarmStore } from './swarm-store.ts';

/** As many wants as completion has under way (node/completion.ts). */
const WANTS_MAX = 64;
const WAIT_MS = 600_000;
const PING_EVERY_MS = 1000;
const quiet = { debug() {}, info() {} };

export interface SwarmNodeOptions {
  name: string;
  port: Port;
  network: Network;
  clock: Clock;
  image: Image;
  owners: Placed['owners'];
  /** Something has gone wrong that cannot, here. */
  onFault: (error: Error) => void;
}

export class SwarmNode {
  readonly name: string;
  readonly port: Port;
  readonly blocks: SwarmStore;
  readonly holders = new Holders();
  /** Bytes of blocks given to others. */
  servedBytes = 0;
  /** When it had all blocks. */
  doneMs: number | undefined;
  readonly #options: SwarmNodeOptions;
  readonly #links: Link[] = [];
  readonly #task: Task;
  readonly #slots = new Slots(MAX_CALLS_PER_PEER, MAX_CALLS);
  readonly #holding = heldSlots();

  constructor(options: SwarmNodeOptions) {
    const { name, port, clock, image, owners, onFault } = options;
    this.#options = options;
    this.name = name;
    this.port = port;
    this.blocks = new SwarmStore(image, clock);
    const complain = (fields: unknown, message?: string) =>
      onFault(new Error(`${name}: ${message} ${JSON.stringify(fields)}`));
    const log = { ...quiet, warn: complain, error: complain } as unknown as Log;
    this.#task = new Task({
      links: this.#links,
      blocks: this.blocks,
      holders: this.holders,
      waitMs: WAIT_MS,
      placement: { self: name, owners },
      clock,
      log,
    });
  }

  /** A link that is up. */
  join(other: SwarmNode): void {
    const { clock, onFault } = this.#options;
    const log = quiet as unknown as Log;
    const link = new Link({
      name: other.name,
      address: `${other.name}:1`,
      tls: undefined as unknown as ClientTls,
      clock,
      log,
      onChange() {},
    });
    const dial: Dial = (heard) => {
      const { near, far } = connection(this.#options.network, this.port, other.port, heard);
      other.#accept(far, this.name);
      return near;
    };
    const [urgent, bulk] = [new BlockChannel(dial, onFault), new BlockChannel(dial, onFault)];
    const blocks: PeerClient['blocks'] = (ids, receive, signal, isUrgent, options) =>
      (isUrgent ? urgent : bulk).ask(ids, receive, signal, options);
    link.state = { kind: 'up', client: { blocks } as PeerClient };
    this.#links.push(link);
    this.#ping(link, other);
  }

  /** Round trips are measured as by a link's signs of life. */
  #ping(link: Link, other: SwarmNode): void {
    const { network, clock } = this.#options;
    const begunMs = clock.now();
    network.send(this.port, other.port, 0, () =>
      network.send(other.port, this.port, 0, () => {
        link.meter.roundTrip(clock.now() - begunMs);
        clock.after(PING_EVERY_MS, () => this.#ping(link, other));
      }),
    );
  }

  #accept(socket: ConstructorParameters<typeof BlockConnection>[0], client: string): void {
    new BlockConnection(socket, {
      client,
      blocks: this.blocks,
      slots: this.#slots,
      arriving: (id, then) => this.#task.arriving(id, then),
      holding: this.#holding,
      clock: this.#options.clock,
      onServed: (bytes) => {
        this.servedBytes += bytes;
      },
      onFault: this.#options.onFault,
    });
  }

  /** Resolves when it has all blocks. */
  async complete(root: Root): Promise<void> {
    const wants = new Set<Promise<void>>();
    for (const id of this.#options.image.keys()) {
      const want = this.#task.want(id, 'completion', undefined, root).finally(() => wants.delete(want));
      wants.add(want);
      if (wants.size >= WANTS_MAX) await Promise.race(wants);
    }
    await Promise.all(wants);
    this.doneMs = this.#options.clock.now();
  }
}
