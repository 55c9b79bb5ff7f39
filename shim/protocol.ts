/**
 * What forage-runc and the node say to each other over `<run>/shim.sock`: lines of JSON, one connection a checkpoint or a restore. Node's start-up
 * is paid while a container is frozen, and gRPC would double it.
 *
 * A checkpoint: `stage`, `staged`, `take`, `taken`. A restore: `restore`, any number of `progress`, `restore`, then `event`s, each answered by
 * `ok`; the connection's end ends it. Instead of any answer there may be an `error`, with which the node closes.
 *
 * Both sides check what they read: the socket is root's, but the two may be of different versions.
 */
import type { Socket } from 'node:net';
import { z } from 'zod';

export const MAX_LINE_BYTES = 1 << 20;

const text = z.string().max(4096);
const path = text.startsWith('/');
const flags = z.array(z.string().regex(/^--[a-z][a-z0-9-]*(?:=[\x21-\x7e]*)?$/)).max(32);

export const referenceSchema = z.strictObject({
  /** Counts up when an older version could not restore by it. */
  forage: z.literal(1),
  checkpoint: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  /** Two references are never the same bytes: containerd 1.7 drops a blob that exists already. */
  nonce: z.string().regex(/^[0-9a-f]{32}$/),
});

/** What the tools above runc carry around instead of a dump. */
export type Reference = z.infer<typeof referenceSchema>;

const container = z.object({
  id: text.min(1),
  /** containerd's; '' where runc's root folder is not one that containerd makes. */
  namespace: text,
  bundle: path,
  /** runc's own folder. */
  root: path,
  /** The overlay's lower directories, nearest first; empty where the root file system is none. */
  lowers: z.array(text).max(1024),
});

export type ContainerFacts = z.infer<typeof container>;

export const requestSchema = z.discriminatedUnion('do', [
  z.object({
    do: z.literal('stage'),
    container: text.min(1),
    /** What the dump will take, about. */
    bytes: z.int().nonnegative(),
    /** The checkpoint's id, where the caller has a wish. */
    name: text.optional(),
  }),
  z.object({
    do: z.literal('take'),
    container,
    /** Whether it goes on. */
    running: z.boolean(),
    frozenMs: z.number().nonnegative(),
    memoryBytes: z.int().nonnegative(),
    filesBytes: z.int().nonnegative(),
    /** There is a folder `files`. */
    hasFiles: z.boolean(),
  }),
  z.object({ do: z.literal('restore'), reference: referenceSchema, container }),
  z.discriminatedUnion('event', [
    z.object({ do: z.literal('event'), event: z.literal('running') }),
    z.object({ do: z.literal('event'), event: z.literal('complete') }),
    z.object({ do: z.literal('event'), event: z.literal('killed'), reason: text }),
  ]),
]);

export type Request = z.infer<typeof requestSchema>;

export const answerSchema = z.union([
  z.object({ error: text }),
  /** An empty folder of mode 0700: `images` and `files` go into it. `flags`: what the configuration adds to runc's arguments. */
  z.object({ staged: path, id: text, flags }),
  z.object({ taken: z.object({ reference: referenceSchema }) }),
  z.object({ progress: z.object({ text }) }),
  z.object({
    restore: z.object({
      /** CRIU's images. */
      images: path,
      /** Writable volumes to apply to the root file system, lowest first. */
      files: z.array(path).max(64),
      flags,
      lazy: z.boolean(),
    }),
  }),
  z.object({ ok: z.literal(true) }),
]);

export type Answer = z.infer<typeof answerSchema>;

/** A line that the other side should not have sent. */
export class ProtocolError extends Error {
  constructor(why: string) {
    super(`the other side of the shim's socket: ${why}`);
    this.name = 'ProtocolError';
  }
}

export function send(socket: Socket, message: Request | Answer): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** The other side's messages, checked; ends with the connection. Throws ProtocolError, or the socket's error. */
export async function* messages<T>(socket: Socket, schema: z.ZodType<T>): AsyncGenerator<T, void> {
  let rest = '';
  socket.setEncoding('utf8');
  for await (const chunk of socket as AsyncIterable<string>) {
    rest += chunk;
    if (rest.length > MAX_LINE_BYTES) throw new ProtocolError('a line without end');
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield checked(line, schema);
  }
}

function checked<T>(line: string, schema: z.ZodType<T>): T {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    throw new ProtocolError('a line that is no JSON');
  }
  const parsed = schema.safeParse(message);
  if (!parsed.success) throw new ProtocolError(z.prettifyError(parsed.error).replaceAll('\n', ' '));
  return parsed.data;
}
