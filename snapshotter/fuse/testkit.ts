/** What the tests of this folder need: volumes of known bytes, mounts, and a server process; all clean up after themselves. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { blockIdOf, MAX_BLOCK_PAGES } from '../../blocks/block.ts';
import { type BlockId, PAGE_BYTES, type Root } from '../../blocks/types.ts';
import { encodeIndex, rootOf } from '../../blocks/volume.ts';
import type { Feeder, Log } from './types.ts';

export interface TestVolume {
  root: Root;
  bytes: Buffer;
  blocks: { id: BlockId; offset: number; sizeBytes: number }[];
}

/** A block store and an index store in a folder of their own. */
export class TestStore {
  readonly root: string;
  readonly blocks: string;
  readonly volumes: string;

  constructor(root: string) {
    this.root = root;
    this.blocks = join(root, 'blocks');
    this.volumes = join(root, 'volumes');
    mkdirSync(this.blocks, { recursive: true });
    mkdirSync(this.volumes);
  }

  /** Cuts `bytes` into blocks of random lengths and stores them and their index. */
  add(bytes: Buffer, maxBlockPages = MAX_BLOCK_PAGES): TestVolume {
    const blocks: TestVolume['blocks'] = [];
    for (let offset = 0; offset < bytes.length; ) {
      const sizeBytes = Math.min(randomInt(1, maxBlockPages + 1) * PAGE_BYTES, bytes.length - offset);
      const block = bytes.subarray(offset, offset + sizeBytes);
      blocks.push({ id: blockIdOf(block), offset, sizeBytes });
      this.putBlock(blocks.at(-1)!.id, block);
      offset += sizeBytes;
    }
    const encoded = encodeIndex(
      'test-1',
      blocks.map(({ id, sizeBytes }) => ({ id, sizeBytes, metadata: false })),
    );
    const root = rootOf(encoded);
    writeFileSync(join(this.volumes, root), encoded);
    return { root, bytes, blocks };
  }

  path(id: BlockId): string {
    return join(this.blocks, id.slice(0, 2), id);
  }

  putBlock(id: BlockId, bytes: Uint8Array): void {
    mkdirSync(dirname(this.path(id)), { recursive: true });
    writeFileSync(this.path(id), bytes);
  }

  removeBlock(id: BlockId): void {
    rmSync(this.path(id), { force: true });
  }
}

/** Brings blocks of known volumes, when it is told to. */
export class TestFeeder implements Feeder {
  readonly #store: TestStore;
  readonly #known = new Map<BlockId, Buffer>();
  readonly asked: BlockId[] = [];
  readonly #waiting = new Map<BlockId, Set<(failure?: string) => void>>();
  /** Bring at once what is asked. */
  open: boolean;

  constructor(store: TestStore, open = true) {
    this.#store = store;
    this.open = open;
  }

  knows(...volumes: TestVolume[]): void {
    for (const { bytes, blocks } of volumes) {
      for (const { id, offset, sizeBytes } of blocks)
        this.#known.set(id, bytes.subarray(offset, offset + sizeBytes));
    }
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  bring(_root: Root, id: BlockId, done: (failure?: string) => void): () => void {
    this.asked.push(id);
    const all = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, all.add(done));
    if (this.open) setImmediate(() => this.deliver(id));
    return () => {
      all.delete(done);
      if (all.size === 0) this.#waiting.delete(id);
    };
  }

  deliver(...ids: BlockId[]): void {
    for (const id of ids) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      const bytes = this.#known.get(id);
      if (bytes) this.#store.putBlock(id, bytes);
      for (const done of waiting ?? []) done(bytes ? undefined : 'nobody has it');
    }
  }

  deliverAll(): void {
    this.deliver(...this.#waiting.keys());
  }
}

/** Keeps what it is told. */
export class TestLog implements Log {
  readonly lines: string[] = [];
  info = (message: string) => void this.lines.push(`info ${message}`);
  warning = (message: string) => void this.lines.push(`warning ${message}`);
  error = (message: string) => void this.lines.push(`error ${message}`);
}

/** A folder on a real file system, gone after the test. */
export function scratch(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'forage-fuse-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** /dev/fuse, mounted at a fresh folder as holder.sh mounts it. */
export function mountFuse(t: Test, point: string): number {
  mkdirSync(point, { recursive: true });
  const fd = openSync('/dev/fuse', 'r+');
  const options =
    'ro,nosuid,nodev,noexec,fd=3,rootmode=40000,user_id=0,group_id=0,default_permissions,max_read=1048576';
  execFileSync('mount', ['-i', '-t', 'fuse.forage', '-o', options, 'forage', point], {
    stdio: ['ignore', 'inherit', 'inherit', fd],
  });
  t.teardown(() => unmountLazily(point));
  return fd;
}

export function unmountLazily(point: string): void {
  spawnSync('umount', ['-i', '-c', '-l', point]);
}

/** An EROFS image of a tree, padded to whole pages. */
export function erofsImage(dir: string, tree: string, options: string[] = []): Buffer {
  const image = join(dir, `image-${randomBytes(4).toString('hex')}`);
  execFileSync('mkfs.erofs', ['-T0', ...options, image, tree], { stdio: 'ignore' });
  const bytes = readFileSync(image);
  return Buffer.concat([bytes, Buffer.alloc((PAGE_BYTES - (bytes.length % PAGE_BYTES)) % PAGE_BYTES)]);
}

export interface Program {
  process: ChildProcess;
  /** Standard output and error so far. */
  output(): string;
  ended: Promise<{ code: number | null; signal: string | null }>;
}

/** Starts a program, with `fd` as its descriptor 3; it is killed at the end of the test with all that it started. */
export function start(
  t: Test,
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv = {},
  fd?: number,
): Program {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])],
    env: { ...process.env, ...env },
    detached: true,
  });
  let output = '';
  child.stdout!.on('data', (chunk) => {
    output += chunk;
  });
  child.stderr!.on('data', (chunk) => {
    output += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  t.teardown(async () => {
    killGroup(child.pid!);
    await ended;
  });
  return { process: child, output: () => output, ended };
}

/** SIGKILL to a program and all that it started. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of them have ended.
  }
}

/** Waits until the condition holds; fails loudly when it never does. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 2000; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`never came true: ${what}`);
}

/** Runs this folder's holder.sh on a store, without systemd. */
export function startHolder(
  t: Test,
  root: string,
  run: string,
  env: NodeJS.ProcessEnv = {},
  fd?: number,
): Program {
  const script = fileURLToPath(new URL('./holder.sh', import.meta.url));
  const settings = {
    FORAGE_ROOT: root,
    FORAGE_RUN: run,
    NODE_COMPILE_CACHE: join(tmpdir(), 'forage-compile-cache'),
  };
  t.teardown(() => unmountLazily(join(run, 'volumes')));
  return start(t, 'sh', [script, join(root, 'no-config.toml')], { ...settings, ...env }, fd);
}

/** A request as the kernel would send it. */
export function request(
  opcode: number,
  body: Buffer = Buffer.alloc(0),
  { unique = 2n, nodeId = 1, pid = 0 }: { unique?: bigint; nodeId?: number; pid?: number } = {},
): Buffer {
  const bytes = Buffer.alloc(40 + body.length);
  bytes.writeUInt32LE(bytes.length, 0);
  bytes.writeUInt32LE(opcode, 4);
  bytes.writeBigUInt64LE(unique, 8);
  bytes.writeBigUInt64LE(BigInt(nodeId), 16);
  bytes.writeUInt32LE(pid, 32);
  body.copy(bytes, 40);
  return bytes;
}

/** The argument of READ and READDIR. */
export function readBody(offset: number, sizeBytes: number): Buffer {
  const body = Buffer.alloc(40);
  body.writeBigUInt64LE(BigInt(offset), 8);
  body.writeUInt32LE(sizeBytes, 16);
  return body;
}
