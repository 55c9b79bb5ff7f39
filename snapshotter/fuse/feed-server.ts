/**
 * The node process's end of volumes.sock: hands the volume server's requests to `bring` and answers them. Frames that
 * are none end the connection they came on; a connection that ends cancels what it asked for.
 */
import { chmod, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { BlockId, Root } from '../../blocks/types.ts';
import { BadFrameError, encodeFrame, type Frame, FrameReader } from './frames.ts';
import type { Log } from './types.ts';

/**
 * Resolves when the block's file is in the store. The volume server has looked at the file before it asks: it is not
 * there, or it was corrupt and is gone, so an answer from memory is no answer.
 */
export type Bring = (root: Root, block: BlockId, signal: AbortSignal) => Promise<void>;

/** The kernel's own bound on requests that wait in the background is near it. */
const REQUESTS_MAX = 2 ** 17;

export class FeedServer {
  readonly #bring: Bring;
  readonly #log: Log;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(bring: Bring, log: Log) {
    this.#bring = bring;
    this.#log = log;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** Listens at `path` (mode 0600), taking the place of whatever is there. */
  async listen(path: string): Promise<void> {
    const fresh = `${path}.new`;
    await rm(fresh, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(fresh, resolve);
    });
    await chmod(fresh, 0o600);
    await rename(fresh, path);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(socket: Socket): void {
    const reader = new FrameReader();
    const requests = new Map<number, AbortController>();
    this.#sockets.add(socket);
    socket.on('data', (chunk) => {
      try {
        for (const frame of reader.push(chunk)) this.#receive(socket, requests, frame);
      } catch (error) {
        this.#log.error(`the volume server: ${(error as Error).message}`);
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#sockets.delete(socket);
      for (const controller of requests.values()) controller.abort();
      requests.clear();
    });
  }

  #receive(socket: Socket, requests: Map<number, AbortController>, frame: Frame): void {
    switch (frame.type) {
      case 'bring':
        if (requests.has(frame.request)) throw new BadFrameError(`request ${frame.request} is asked twice`);
        if (requests.size >= REQUESTS_MAX) throw new BadFrameError(`more than ${REQUESTS_MAX} requests`);
        this.#start(socket, requests, frame);
        return;
      case 'cancel':
        requests.get(frame.request)?.abort();
        requests.delete(frame.request);
        return;
      default:
        throw new BadFrameError(`a ${frame.type} frame from the volume server`);
    }
  }

  #start(
    socket: Socket,
    requests: Map<number, AbortController>,
    { request, root, block }: Extract<Frame, { type: 'bring' }>,
  ): void {
    const controller = new AbortController();
    requests.set(request, controller);
    const answer = (frame: Frame) => {
      // Cancelled meanwhile; the number may already mean another request.
      if (requests.get(request) !== controller) return;
      requests.delete(request);
      socket.write(encodeFrame(frame));
    };
    this.#bring(root, block, controller.signal).then(
      () => answer({ type: 'done', request }),
      (error: unknown) =>
        answer({ type: 'failed', request, reason: error instanceof Error ? error.message : String(error) }),
    );
  }
}
