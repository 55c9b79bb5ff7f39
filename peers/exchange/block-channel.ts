/**
 * A connection for blocks to one neighbour, seen from the node that asks. Connects when first used, and again after a loss.
 *
 * Bytes go from the socket into a buffer that is used again and again, and from there into the block's own, which comes
 * from a pool and goes back when the receiver is done with it: no garbage. While receivers hold more than HELD_MAX_BYTES,
 * nothing is read, and TCP slows the sender down.
 */
import type { TLSSocket } from 'node:tls';
import { status } from '@grpc/grpc-js';
import type { BlockId } from '../../blocks/types.ts';
import { buffers } from './buffers.ts';
import { askFrame, BLOCKS_PROTOCOL, cancelFrame, HEADER_BYTES, readHeader } from './frames.ts';
import { MAX_CALLS_PER_PEER } from './limits.ts';
import { WireError } from './wire.ts';

const HELD_MAX_BYTES = 2 << 20;
const REQUEST_IDS = 2 ** 32;
/** More requests than a neighbour answers at the same time; those before have been passed over. */
const LEFTOVERS_MAX = 4 * MAX_CALLS_PER_PEER;

/**
 * Given each block as it arrives, in the order asked; undefined: the neighbour does not have it. `bytes` are the receiver's
 * until the promise is settled.
 */
export type Receive = (id: BlockId, bytes: Uint8Array | undefined) => Promise<void> | undefined;

/**
 * Begins a connection, on which `secureConnect`, `error` and `close` follow. `heard` is given what comes, good until it returns; when it
 * answers false, nothing more comes until `resume`.
 */
export type Dial = (heard: (length: number, chunk: Uint8Array) => boolean) => TLSSocket;

/** Fails as a gRPC call does, so that one table tells what failures mean. */
class ChannelError extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

export interface AskOptions {
  /** The neighbour may hold its answers for a while: it is fetching these blocks itself. */
  mayWait?: boolean;
  /** Something of an answer has come, were it part of a block. */
  onProgress?: () => void;
}

interface Asked {
  ids: readonly BlockId[];
  /** Position of the next answer. */
  next: number;
  /** Given to the receiver, and still held by it. */
  held: number;
  receive: Receive;
  onProgress: (() => void) | undefined;
  resolve: () => void;
  reject: (error: Error) => void;
}

export class BlockChannel {
  readonly #dial: Dial;
  readonly #onFault: (error: WireError) => void;
  readonly #asked = new Map<number, Asked>();
  /** Answers that cancelled requests may still get. */
  readonly #leftovers = new Map<number, number>();
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #socket: TLSSocket | undefined;
  #nextRequest = 0;
  #headerBytes = 0;
  /** What the block that is coming in belongs to; undefined for one that nobody wants any more. */
  #of: Asked | undefined;
  #ofRequest = 0;
  #body: Buffer | undefined;
  #bodyBytes = 0;
  #missingBytes = 0;
  #heldBytes = 0;
  #closed = false;

  /** `onFault` is told of a breach of the protocol when no request is open that could reject with it. */
  constructor(dial: Dial, onFault: (error: WireError) => void) {
    this.#dial = dial;
    this.#onFault = onFault;
  }

  /** Resolves when every id has been answered and received; rejects when the neighbour, or a receiver, fails before that. */
  ask(
    ids: readonly BlockId[],
    receive: Receive,
    signal: AbortSignal,
    { mayWait, onProgress }: AskOptions = {},
  ): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    if (this.#closed) reject(new ChannelError(status.UNAVAILABLE, 'closed'));
    else if (signal.aborted) reject(cancelled());
    else if (ids.length === 0) resolve();
    else {
      const request = this.#nextRequest;
      const frame = askFrame(request, ids, mayWait);
      this.#nextRequest = (request + 1) % REQUEST_IDS;
      const onAbort = () => this.#cancel(request);
      const end = () => signal.removeEventListener('abort', onAbort);
      signal.addEventListener('abort', onAbort);
      promise.then(end, end);
      this.#asked.set(request, { ids, next: 0, held: 0, receive, onProgress, resolve, reject });
      this.#connected().write(frame);
    }
    return promise;
  }

  close(): void {
    this.#closed = true;
    this.#lost(this.#socket, new ChannelError(status.UNAVAILABLE, 'closed'));
  }

  #connected(): TLSSocket {
    if (this.#socket) return this.#socket;
    const socket = this.#dial((length, chunk) => this.#socket !== socket || this.#heard(length, chunk));
    const lose = (reason: string) => this.#lost(socket, new ChannelError(status.UNAVAILABLE, reason));
    socket.setNoDelay(true);
    socket.on('secureConnect', () => {
      if (socket.alpnProtocol !== BLOCKS_PROTOCOL) lose('does not speak the protocol for blocks');
    });
    socket.on('error', ({ message }) => lose(message));
    socket.on('close', () => lose('the connection was closed'));
    this.#socket = socket;
    return socket;
  }

  #lost(socket: TLSSocket | undefined, error: Error): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    socket?.destroy();
    if (this.#body) buffers.give(this.#body);
    this.#body = undefined;
    this.#headerBytes = 0;
    this.#bodyBytes = 0;
    this.#missingBytes = 0;
    this.#leftovers.clear();
    if (error instanceof WireError && this.#asked.size === 0) this.#onFault(error);
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  #cancel(request: number): void {
    const asked = this.#asked.get(request);
    if (!asked) return;
    this.#asked.delete(request);
    asked.reject(cancelled());
    // What was cancelled so many requests ago has been passed over by now.
    if (this.#leftovers.size >= LEFTOVERS_MAX) this.#leftovers.delete(this.#leftovers.keys().next().value!);
    this.#leftovers.set(request, asked.ids.length - asked.next);
    this.#socket?.write(cancelFrame(request));
  }

  /** False holds the socket back. */
  #heard(length: number, chunk: Uint8Array): boolean {
    try {
      for (let at = 0; at < length; ) {
        at += this.#missingBytes > 0 ? this.#fill(chunk, at, length) : this.#head(chunk, at, length);
      }
    } catch (error) {
      this.#lost(this.#socket, error as Error);
      return true;
    }
    return this.#heldBytes <= HELD_MAX_BYTES;
  }

  #head(chunk: Uint8Array, at: number, end: number): number {
    const taken = Math.min(end - at, HEADER_BYTES - this.#headerBytes);
    this.#header.set(chunk.subarray(at, at + taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#begin();
    }
    return taken;
  }

  #begin(): void {
    const { request, length } = readHeader(this.#header);
    const asked = this.#asked.get(request);
    if (!asked) this.#countLeftover(request, length === undefined);
    if (length === undefined) this.#refused(request);
    else if (length === 0) this.#answer(request, asked, undefined);
    else {
      this.#of = asked;
      this.#ofRequest = request;
      this.#missingBytes = length;
      this.#bodyBytes = 0;
      this.#body = asked && buffers.take(length);
    }
  }

  /** Throws WireError for a frame that no request has room for. */
  #countLeftover(request: number, isRefusal: boolean): void {
    const left = this.#leftovers.get(request) ?? 0;
    if (left === 0) throw new WireError(`more answers to request ${request} than were asked for`);
    if (isRefusal || left === 1) this.#leftovers.delete(request);
    else this.#leftovers.set(request, left - 1);
  }

  #fill(chunk: Uint8Array, at: number, end: number): number {
    const taken = Math.min(end - at, this.#missingBytes);
    this.#of?.onProgress?.();
    this.#body?.set(chunk.subarray(at, at + taken), this.#bodyBytes);
    this.#bodyBytes += taken;
    this.#missingBytes -= taken;
    if (this.#missingBytes > 0) return taken;
    const body = this.#body;
    this.#body = undefined;
    if (!body) return taken;
    if (this.#asked.get(this.#ofRequest) === this.#of) this.#answer(this.#ofRequest, this.#of, body);
    else buffers.give(body);
    return taken;
  }

  #answer(request: number, asked: Asked | undefined, body: Buffer | undefined): void {
    if (!asked) return;
    const id = asked.ids[asked.next++]!;
    const done = asked.next === asked.ids.length;
    // A receiver may end the request, by its signal, in this very call.
    if (done) this.#asked.delete(request);
    const received = asked.receive(id, body?.subarray(0, this.#bodyBytes));
    if (body) this.#hold(request, asked, body, received);
    if (done && asked.held === 0) asked.resolve();
  }

  #hold(request: number, asked: Asked, body: Buffer, received: Promise<void> | undefined): void {
    if (!received) {
      buffers.give(body);
      return;
    }
    asked.held++;
    this.#heldBytes += body.length;
    const failed = (error: Error) => {
      asked.reject(error);
      this.#cancel(request);
    };
    received.catch(failed).finally(() => {
      buffers.give(body);
      asked.held--;
      const wasFull = this.#heldBytes > HELD_MAX_BYTES;
      this.#heldBytes -= body.length;
      if (wasFull && this.#heldBytes <= HELD_MAX_BYTES) this.#socket?.resume();
      if (asked.held === 0 && asked.next === asked.ids.length) asked.resolve();
    });
  }

  #refused(request: number): void {
    const asked = this.#asked.get(request);
    this.#asked.delete(request);
    asked?.reject(new ChannelError(status.RESOURCE_EXHAUSTED, 'the neighbour has too many requests open'));
  }
}

function cancelled(): Error {
  return new ChannelError(status.CANCELLED, 'cancelled');
}
