/** The node's side of the shim's socket: a connection is one checkpoint or one restore, and what it holds goes with it. */
import { once } from 'node:events';
import { chmod, rename, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import {
  type Answer,
  type ContainerFacts,
  messages,
  ProtocolError,
  type Reference,
  type Request,
  requestSchema,
  send,
  type Touched,
} from '../../shim/protocol.ts';
import { RefusedError } from '../control.ts';

type Stage = Extract<Request, { do: 'stage' }>;
export type Take = Extract<Request, { do: 'take' }>;
export type RestoreEvent = Extract<Request, { do: 'event' }>;

/** What is done for a connection. What rejects with RefusedError is told to the shim in its words. */
export interface ShimHandlers {
  stage(request: Stage): Promise<{ staged: string; id: string; flags: string[] }>;
  /** A dump that was not taken. */
  abandon(staged: string): Promise<void>;
  take(id: string, staged: string, request: Take): Promise<Reference>;
  restore(
    reference: Reference,
    container: ContainerFacts,
    tell: (text: string) => void,
    signal: AbortSignal,
  ): Promise<ShimRestore>;
}

export interface ShimRestore {
  answer: Extract<Answer, { restore: unknown }>['restore'];
  event(event: RestoreEvent): void;
  /** The memory that the container has used first. */
  touched(pages: Touched): void;
  release(): Promise<void>;
}

/** Mode 0600; bound under another name and renamed, as listenUnix does it. */
export async function listenShim(path: string, handlers: ShimHandlers, log: Logger): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket, handlers).catch((error: unknown) => {
      if (!(error instanceof RefusedError || error instanceof ProtocolError))
        log.error({ err: error }, 'a request of the shim failed');
      const text =
        error instanceof RefusedError ? error.message : `the node failed: ${(error as Error).message}`;
      if (socket.writable) send(socket, { error: text.slice(0, 4000) });
      socket.end();
    });
  });
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(fresh, resolve);
  });
  await chmod(fresh, 0o600);
  await rename(fresh, path);
  return server;
}

async function serve(socket: Socket, handlers: ShimHandlers): Promise<void> {
  const requests = messages(socket, requestSchema);
  const first = await requests.next();
  if (first.done) return;
  switch (first.value.do) {
    case 'stage':
      return checkpoint(socket, requests, first.value, handlers);
    case 'restore':
      return restore(socket, requests, first.value, handlers);
    default:
      throw new ProtocolError(`${first.value.do} comes first`);
  }
}

type Requests = AsyncGenerator<Request, void>;

async function checkpoint(socket: Socket, requests: Requests, request: Stage, handlers: ShimHandlers) {
  const { staged, id, flags } = await handlers.stage(request);
  const closed = once(socket, 'close');
  let isTaken = false;
  try {
    send(socket, { staged, id, flags });
    const { value } = await requests.next();
    if (!value) return;
    if (value.do !== 'take') throw new ProtocolError(`${value.do} instead of take`);
    const reference = await handlers.take(id, staged, value).catch((error: Error) => {
      send(socket, { error: error.message.slice(0, 4000) });
      throw error;
    });
    isTaken = true;
    send(socket, { taken: { reference } });
    socket.end();
  } finally {
    // A shim whose dump is not taken moves it elsewhere first.
    if (!isTaken) {
      await closed;
      await handlers.abandon(staged);
    }
  }
}

async function restore(
  socket: Socket,
  requests: Requests,
  { reference, container }: Extract<Request, { do: 'restore' }>,
  handlers: ShimHandlers,
) {
  const gone = new AbortController();
  socket.once('close', () => gone.abort(new Error('the shim is gone')));
  const tell = (text: string) => send(socket, { progress: { text } });
  const opened = await handlers.restore(reference, container, tell, gone.signal);
  try {
    send(socket, { restore: opened.answer });
    for await (const said of requests) {
      if (said.do === 'event') opened.event(said);
      else if (said.do === 'touched') opened.touched(said.pages);
      else throw new ProtocolError(`${said.do} during a restore`);
      send(socket, { ok: true });
    }
  } finally {
    await opened.release();
  }
}
