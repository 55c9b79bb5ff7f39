/**
 * What forage-runc and the node say to each other over `<run>/shim.sock`: lines of JSON, one connection a checkpoint or a restore. Node's start-up
 * is paid while a container is frozen, and gRPC would double it.
 *
 * A checkpoint: `stage`, `staged`, `take`, `taken`. A restore: `restore`, any number of `progress`, `restore`, then `event`s and once `touched`,
 * each answered by `ok`; the connection's end ends it. Instead of any answer there may be an `error`, with which the node closes.
 *
 * Both sides check what they read: the socket is root's, but the two may be of different versions.
 */
import type { Socket } from 'node:net';
import * as v from 'valibot';

export const MAX_LINE_BYTES = 1 << 20;

const text = v.pipe(v.string(), v.maxLength(4096));
const name = v.pipe(text, v.minLength(1));
const path = v.pipe(text, v.startsWith('/'));
const size = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const flags = v.pipe(
  v.array(v.pipe(v.string(), v.regex(/^--[a-z][a-z0-9-]*(?:=[\x21-\x7e]*)?$/))),
  v.maxLength(32),
);

export const referenceSchema = v.strictObject({
  /** Counts up when an older version could not restore by it. */
  forage: v.literal(1),
  checkpoint: v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9.-]{0,63}$/)),
  /** Two references are never the same bytes: containerd 1.7 drops a blob that exists already. */
  nonce: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
});

/** What the tools above runc carry around instead of a dump. */
export type Reference = v.InferOutput<typeof referenceSchema>;

const container = v.object({
  id: name,
  /** containerd's; '' where runc's root folder is not one that containerd makes. */
  namespace: text,
  bundle: path,
  /** runc's own folder. */
  root: path,
  /** The overlay's lower directories, nearest first; empty where the root file system is none. */
  lowers: v.pipe(v.array(text), v.maxLength(1024)),
});

export type ContainerFacts = v.InferOutput<typeof container>;

const stage = v.object({
  do: v.literal('stage'),
  container: name,
  /** What the dump will take, about. */
  bytes: size,
  /** The checkpoint's id, where the caller has a wish. */
  name: v.optional(text),
});

const take = v.object({
  do: v.literal('take'),
  container,
  /** Whether it goes on. */
  running: v.boolean(),
  frozenMs: v.pipe(v.number(), v.minValue(0)),
  memoryBytes: size,
  filesBytes: size,
  /** There is a folder `files`. */
  hasFiles: v.boolean(),
});

const restore = v.object({ do: v.literal('restore'), reference: referenceSchema, container });

const event = v.object({
  do: v.literal('event'),
  event: v.picklist(['running', 'complete', 'killed']),
  /** Of `killed`. */
  reason: v.optional(text),
});

/** Runs of pages that one message may tell of: some hundred kilobytes of it, and gigabytes of a program that reads along. */
export const MAX_TOUCHED = 32_768;

const touched = v.object({
  do: v.literal('touched'),
  /** The memory that the container has used first, in that order: N of the dump's `pages-N.img`, a page of it, and how many pages from there on. */
  pages: v.pipe(v.array(v.tuple([size, size, size])), v.maxLength(MAX_TOUCHED)),
});

export type Touched = v.InferOutput<typeof touched>['pages'];

export const requestSchema = v.variant('do', [stage, take, restore, event, touched]);

export type Request = v.InferOutput<typeof requestSchema>;

export const answerSchema = v.union([
  v.object({ error: text }),
  /** An empty folder of mode 0700: `images` and `files` go into it. `flags`: what the configuration adds to runc's arguments. */
  v.object({ staged: path, id: text, flags }),
  v.object({ taken: v.object({ reference: referenceSchema }) }),
  v.object({ progress: v.object({ text }) }),
  v.object({
    restore: v.object({
      /** CRIU's images. */
      images: path,
      /** Writable volumes to apply to the root file system, lowest first. */
      files: v.pipe(v.array(path), v.maxLength(64)),
      flags,
      lazy: v.boolean(),
    }),
  }),
  v.object({ ok: v.literal(true) }),
]);

export type Answer = v.InferOutput<typeof answerSchema>;

type Schema = typeof requestSchema | typeof answerSchema;

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

/** The other side's messages, checked; ends with the connection, however that ends. Throws ProtocolError. */
export async function* messages<S extends Schema>(
  socket: Socket,
  schema: S,
): AsyncGenerator<v.InferOutput<S>, void> {
  let rest = '';
  for await (const chunk of textOf(socket)) {
    rest += chunk;
    if (rest.length > MAX_LINE_BYTES) throw new ProtocolError('a line without end');
    const lines = rest.split('\n');
    rest = lines.pop()!;
    for (const line of lines) yield checked(line, schema);
  }
}

async function* textOf(socket: Socket): AsyncGenerator<string, void> {
  socket.setEncoding('utf8');
  try {
    // Whoever stops reading still wants to say why.
    yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<string>;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ERR_STREAM_PREMATURE_CLOSE' && code !== 'ECONNRESET' && code !== 'EPIPE') throw error;
  }
}

function checked<S extends Schema>(line: string, schema: S): v.InferOutput<S> {
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch {
    throw new ProtocolError('a line that is no JSON');
  }
  const parsed = v.safeParse(schema, message);
  if (!parsed.success) throw new ProtocolError(v.summarize(parsed.issues).replaceAll('\n', ' '));
  return parsed.output;
}
