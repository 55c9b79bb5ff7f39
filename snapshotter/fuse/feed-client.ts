/**
 * The volume server's end of volumes.sock. It connects again for ever and then repeats all that is outstanding, so a
 * node process that restarts, or is not there yet, only makes reads wait.
 */
import { connect, type Socket } from 'node:net';
import type { BlockId, Root } from '../../blocks/types.ts';
import { BadFrameError, encodeFrame, type Frame, FrameReader } from './frames.ts';
import type { Feeder, Log } from './types.ts';

const RECONNECT_MS_MIN = 20;
const RECONNECT_MS_MAX = 500;

interface Outstanding {
  readonly root: Root;
  readonly block: BlockId;
  readonly done: (failure?: string) => void;
}

export class FeedClient implements Feeder {
  readonly #path: string;
  readonly #log: Log;
  readonly #outstanding = new Map<number, Outstanding>();
  #socket: Socket | undefined;
  #connected = false;
  #nextRequest = 1;
  #reconnectMs = RECONNECT_MS_MIN;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#connect();
  }

  bring(root: Root, block: BlockId, done: (failure?: string) => void): () => void {
    const request = this.#freeNumber();
    this.#outstanding.set(request, { root, block, done });
    this.#send({ type: 'bring', request, root, block });
    return () => {
      if (this.#outstanding.delete(request)) this.#send({ type: 'cancel', request });
    };
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
  }

  #freeNumber(): number {
    do this.#nextRequest = (this.#nextRequest + 1) >>> 0;
    while (this.#outstanding.has(this.#nextRequest));
    return this.#nextRequest;
  }

  /** What is asked without a connection is asked at the next one. */
  #send(frame: Frame): void {
    if (this.#connected) this.#socket?.write(encodeFrame(frame));
  }

  #connect(): void {
    const socket = connect(this.#path);
    const reader = new FrameReader();
    this.#socket = socket;
    socket.on('connect', () => {
      this.#connected = true;
      this.#reconnectMs = RECONNECT_MS_MIN;
      socket.cork();
      for (const [request, { root, block }] of this.#outstanding)
        this.#send({ type: 'bring', request, root, block });
      socket.uncork();
    });
    socket.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) this.#receive(frame);
      } catch (error) {
        this.#log.error(`the node process: ${(error as Error).message}`);
        socket.destroy();
      }
    });
    // Why it went does not matter, what follows is always the same: 'close', and another try.
    socket.on('error', () => {});
    socket.on('close', () => this.#disconnected());
  }

  #disconnected(): void {
    if (this.#connected)
      this.#log.warning('the node process is away; reads of blocks that are not here wait');
    this.#connected = false;
    if (this.#closed) return;
    this.#retry = setTimeout(() => this.#connect(), this.#reconnectMs);
    this.#reconnectMs = Math.min(this.#reconnectMs * 2, RECONNECT_MS_MAX);
  }

  #receive(frame: Frame): void {
    if (frame.type !== 'done' && frame.type !== 'failed')
      throw new BadFrameError(`a ${frame.type} frame from the node process`);
    // An answer to what was cancelled meanwhile is normal.
    const asked = this.#outstanding.get(frame.request);
    if (!this.#outstanding.delete(frame.request)) return;
    if (frame.type === 'done') asked?.done();
    else asked?.done(frame.reason || 'no reason given');
  }
}
