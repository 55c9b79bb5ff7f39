/**
 * One neighbour's connection for blocks, seen from the node that gives them. Answers requests one after the other, so that
 * the first one asked is the first one served, and holds little: what is on the way to the socket, and a few blocks read ahead.
 */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import type { BlockId, BlockStore } from '../../blocks/types.ts';
import { BusyError } from './errors.ts';
import { blockHeader, CommandReader, refusedFrame } from './frames.ts';
import { readBlocks } from './sending.ts';
import type { Slots } from './slots.ts';
import { WireError } from './wire.ts';

/** Given to the socket and not yet sent. */
const UNSENT_MAX_BYTES = 1 << 20;
/** The same with refusals, which wait for nobody. */
const REFUSALS_MAX_BYTES = 2 * UNSENT_MAX_BYTES;
/** A client that is gone without a word is noticed by this. */
const KEEPALIVE_MS = 10_000;

export interface BlockServing {
  /** The client's name, from its certificate. */
  client: string;
  blocks: BlockStore;
  slots: Slots;
  /** Bytes of blocks as they are sent. */
  onServed: (bytes: number) => void;
  /** Why the connection was closed on the client: it broke the protocol, or the store failed. */
  onFault: (error: Error) => void;
}

interface Request {
  id: number;
  ids: BlockId[];
  /** Gives its slot back. */
  release: () => void;
}

export class BlockConnection {
  readonly #socket: TLSSocket;
  readonly #serving: BlockServing;
  readonly #commands = new CommandReader();
  readonly #requests = new Map<number, Request>();
  #sending = false;

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
        if (command.kind === 'ask') this.#ask(command.request, command.ids);
        else this.#end(command.request);
      }
    } catch (error) {
      this.#fail(error as Error);
      return;
    }
    if (!this.#sending) this.#send().catch((error: unknown) => this.#fail(error as Error));
  }

  #ask(id: number, ids: BlockId[]): void {
    if (this.#requests.has(id)) throw new WireError(`request ${id} is open already`);
    try {
      this.#requests.set(id, { id, ids, release: this.#serving.slots.take(this.#serving.client) });
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

  #first(): Request | undefined {
    return this.#requests.values().next().value;
  }

  async #answer({ id, ids }: Request): Promise<void> {
    for await (const block of readBlocks(this.#serving.blocks, ids)) {
      if (!this.#requests.has(id)) return;
      this.#socket.cork();
      this.#socket.write(blockHeader(id, block?.length ?? 0));
      if (block) this.#socket.write(block);
      this.#socket.uncork();
      this.#serving.onServed(block?.length ?? 0);
      if (this.#socket.writableLength > UNSENT_MAX_BYTES) await this.#drained();
    }
  }

  async #drained(): Promise<void> {
    const either = new AbortController();
    const settings = { signal: either.signal };
    await Promise.race([
      once(this.#socket, 'drain', settings),
      once(this.#socket, 'close', settings),
    ]).finally(() => either.abort());
  }

  #end(id: number): void {
    this.#requests.get(id)?.release();
    this.#requests.delete(id);
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
