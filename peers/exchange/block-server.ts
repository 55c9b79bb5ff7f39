/**
 * One neighbour's connection for blocks, seen from the node that gives them. Answers requests one after the other, so that
 * the first one asked is the first one served, and holds little: what is on the way to the socket, and a few blocks read ahead.
 *
 * A request that may wait (AWAIT) is answered beside the others, so that it holds nothing up: a block that this node is fetching itself is waited for,
 * and passed on as it arrives. For how long, and how many wait, is bounded; then the block is not here, as with any request.
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { BlockId, BlockStore } from '../../blocks/types.ts';
import type { Clock } from '../clock.ts';
import { BusyError } from './errors.ts';
import { blockHeader, CommandReader, refusedFrame } from './frames.ts';
import { NOTHING, type Outgoing, readInOrder, readOutgoing } from './outgoing.ts';
import { Slots } from './slots.ts';
import { WireError } from './wire.ts';

/** Given to the socket and not yet sent. */
const UNSENT_MAX_BYTES = 1 << 20;
/** The same with refusals, which wait for nobody. */
const REFUSALS_MAX_BYTES = 2 * UNSENT_MAX_BYTES;
/** A client that is gone without a word is noticed by this. */
const KEEPALIVE_MS = 10_000;
/** A request waits no longer than this without a block of it coming. */
const HELD_MAX_MS = 2000;
/** Requests that wait, of one neighbour and of all: fewer than may be open, so that others find room. */
const HELD_PER_PEER = 24;
const HELD_REQUESTS = 192;

/**
 * Calls `then` once when a block that is not here has come, or will not come after all; the answer ends the watch. undefined when this
 * node is not about to fetch it.
 */
export type Arriving = (id: BlockId, then: () => void) => (() => void) | undefined;

/** Places for requests that wait, one set a server. */
export function heldSlots(): Slots {
  return new Slots(HELD_PER_PEER, HELD_REQUESTS);
}

export interface BlockServing {
  /** The client's name, from its certificate. */
  client: string;
  blocks: BlockStore;
  slots: Slots;
  arriving: Arriving;
  /** Of `heldSlots`. */
  holding: Slots;
  clock: Clock;
  /** Bytes of blocks as they are sent. */
  onServed: (bytes: number) => void;
  /** Why the connection was closed on the client: it broke the protocol, or the store failed. */
  onFault: (error: Error) => void;
}

interface Request {
  id: number;
  ids: BlockId[];
  mayWait: boolean;
  /** Ended or cancelled, or the connection is. */
  end: AbortController;
  /** Gives its slot back. */
  release: () => void;
}

export class BlockConnection {
  readonly #socket: TLSSocket;
  readonly #serving: BlockServing;
  readonly #commands = new CommandReader();
  readonly #requests = new Map<number, Request>();
  #sending = false;
  #draining: Promise<void> | undefined;

  constructor(socket: TLSSocket, serving: BlockServing) {
    this.#socket = socket;
    this.#serving = serving;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEPALIVE_MS);
    socket.on('data', (chunk: Buffer) => this.#heard(chunk));
    socket.on('error', () => {}); // 'close' follows
    socket.on('close', () => this.#drop());
  }

  #heard(chunk: Buffer): void {
    try {
      for (const command of this.#commands.read(chunk)) {
        if (command.kind === 'ask') this.#ask(command.request, command.ids, command.mayWait);
        else this.#end(command.request);
      }
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!this.#sending) this.#send().catch((error: unknown) => this.#fail(error as Error));
  }

  #ask(id: number, ids: BlockId[], mayWait: boolean): void {
    if (this.#requests.has(id)) throw new WireError(`request ${id} is open already`);
    try {
      const release = this.#serving.slots.take(this.#serving.client);
      const request = { id, ids, mayWait, end: new AbortController(), release };
      this.#requests.set(id, request);
      if (mayWait) this.#answerAside(request).catch((error: unknown) => this.#fail(error as Error));
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
      // A client that never reads its refusals would make us keep them.
      if (this.#socket.writableLength > REFUSALS_MAX_BYTES) throw new WireError('requests without end');
      this.#socket.write(refusedFrame(id));
    }
  }

  async #send(): Promise<void> {
    this.#sending = true;
    try {
      for (let request = this.#first(); request; request = this.#first()) {
        await this.#answer(request);
        this.#end(request.id);
      }
    } finally {
      this.#sending = false;
    }
  }

  async #answerAside(request: Request): Promise<void> {
    await this.#answer(request);
    this.#end(request.id);
  }

  #first(): Request | undefined {
    for (const request of this.#requests.values()) if (!request.mayWait) return request;
    return undefined;
  }

  async #answer(request: Request): Promise<void> {
    const { id, ids, mayWait } = request;
    const { blocks, clock } = this.#serving;
    let next = 0;
    let leftMs = mayWait ? HELD_MAX_MS : 0;
    for await (const read of readInOrder(blocks, ids)) {
      const wanted = ids[next++]!;
      let block = read;
      if (!block.bytes && leftMs > 0) {
        const begunMs = clock.now();
        block = await this.#arrived(request, wanted, leftMs);
        leftMs = block.bytes ? HELD_MAX_MS : leftMs - (clock.now() - begunMs);
      }
      if (this.#requests.get(id) !== request) {
        block.release();
        return;
      }
      this.#write(id, block);
      while (this.#socket.writableLength > UNSENT_MAX_BYTES && !this.#socket.destroyed) await this.#drained();
    }
  }

  #write(id: number, { bytes, release }: Outgoing): void {
    const length = bytes?.length ?? 0;
    this.#socket.cork();
    this.#socket.write(blockHeader(id, length));
    if (bytes) this.#socket.write(bytes, release);
    else release();
    this.#socket.uncork();
    this.#serving.onServed(length);
  }

  /** The block, if it comes in time; at once when it is not on its way here. */
  async #arrived({ end }: Request, id: BlockId, mostMs: number): Promise<Outgoing> {
    const { blocks, arriving, holding, client, clock } = this.#serving;
    const { promise, resolve } = Promise.withResolvers<void>();
    const unwatch = arriving(id, resolve);
    // It may have come between the read and now.
    if (!unwatch) return blocks.has(id) ? readOutgoing(blocks, id) : NOTHING;
    let release: (() => void) | undefined;
    const cancelTimer = clock.after(mostMs, resolve);
    end.signal.addEventListener('abort', () => resolve(), { once: true });
    try {
      release = holding.take(client);
      await promise;
    } catch (error) {
      if (!(error instanceof BusyError)) throw error;
    } finally {
      cancelTimer();
      unwatch();
      release?.();
    }
    return end.signal.aborted ? NOTHING : readOutgoing(blocks, id);
  }

  /** One watch for all requests that wait for room. */
  #drained(): Promise<void> {
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
    });
    return this.#draining;
  }

  async #drain(): Promise<void> {
    const either = new AbortController();
    const settings = { signal: either.signal };
    await Promise.race([
      once(this.#socket, 'drain', settings),
      once(this.#socket, 'close', settings),
    ]).finally(() => either.abort());
  }

  #end(id: number): void {
    const request = this.#requests.get(id);
    if (!request) return;
    this.#requests.delete(id);
    request.release();
    request.end.abort();
  }

  #drop(): void {
    for (const id of [...this.#requests.keys()]) this.#end(id);
  }

  #fail(error: Error): void {
    this.#drop();
    this.#socket.destroy();
    this.#serving.onFault(error);
  }
}
