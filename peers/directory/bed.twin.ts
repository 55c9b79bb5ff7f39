/** A cluster's signers and directories in one process, for tests: real certificates and signatures, a clock that is set by hand. */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { chainIdOf } from '../../blocks/digest.ts';
import type { ChainId, LayerRecord } from '../../blocks/types.ts';
import { type LogTwin, logTwin } from '../bed.twin.ts';
import type { Clock } from '../clock.ts';
import { type Authority, type Claims, certify, initCluster, openAuthority } from '../identity/authority.ts';
import { NODE_ROLE } from '../identity/names.ts';
import { Directory } from './directory.ts';
import type { Capacity } from './limits.ts';
import { MemoryRecordStore } from './memory.ts';
import { authoritySigner, nodeSigner, revocationOf, signRecord } from './sign.ts';
import type {
  Contents,
  Kind,
  RecordStore,
  Ref,
  SignedRecord,
  Signer,
  Statement,
  StoredObject,
} from './types.ts';
import { Verifier } from './verify.ts';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** Stands still until it is set. */
export class ClockTwin implements Clock {
  wallMs = Date.now();
  readonly #timers = new Map<() => void, number>();

  now(): number {
    return this.wallMs;
  }

  wall(): number {
    return this.wallMs;
  }

  after(ms: number, fn: () => void): () => void {
    this.#timers.set(fn, this.wallMs + ms);
    return () => this.#timers.delete(fn);
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  random(): number {
    return 0.5;
  }

  /** How many timers are set. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Goes on, and runs what is due by then once. */
  advance(ms: number): void {
    this.wallMs += ms;
    for (const [fn, dueMs] of [...this.#timers]) {
      if (dueMs > this.wallMs) continue;
      this.#timers.delete(fn);
      fn();
    }
  }
}

/** In another order, by chance. */
export function shuffled<T>(items: readonly T[], below: (limit: number) => number): T[] {
  const order = items.map((item) => ({ item, at: below(2 ** 30) }));
  return order.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

export interface MadeDirectory {
  directory: Directory;
  store: RecordStore;
  log: LogTwin;
}

export class DirectoryBed {
  readonly clock = new ClockTwin();
  readonly authority: Authority;
  readonly ca: Buffer;
  readonly verifier: Verifier;
  readonly #t: Test;
  readonly #nodes = new Map<string, Signer>();

  private constructor(t: Test, authority: Authority) {
    this.#t = t;
    this.authority = authority;
    this.ca = Buffer.from(authority.cert.toString('pem'));
    this.verifier = new Verifier(this.ca);
  }

  static async make(t: Test): Promise<DirectoryBed> {
    const dir = await mkdtemp(join(tmpdir(), 'forage-directory-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    await initCluster(dir);
    return new DirectoryBed(t, await openAuthority(dir));
  }

  /** The signer of this name, made when it is asked for first. */
  async node(name: string): Promise<Signer> {
    const signer = this.#nodes.get(name) ?? (await this.crafted({ name }));
    this.#nodes.set(name, signer);
    return signer;
  }

  /** A new key, with a certificate that says what the test wants. */
  async crafted(claims: Partial<Claims>): Promise<Signer> {
    const all = { role: NODE_ROLE, name: 'crafted', addresses: [], ...claims };
    const notBefore = claims.notBefore ?? new Date(Date.now() - DAY_MS);
    const notAfter = claims.notAfter ?? new Date(Date.now() + 700 * DAY_MS);
    const { cert, key } = await certify(this.authority, { ...all, notBefore, notAfter });
    return nodeSigner({
      name: all.name,
      cert: Buffer.from(cert),
      key: Buffer.from(key),
      ca: this.ca,
      expires: notAfter,
    });
  }

  /** A directory of the node; opened anew on the same store where one is given. */
  async directory(
    name: string,
    { store = new MemoryRecordStore(), capacity }: { store?: RecordStore; capacity?: Capacity } = {},
  ): Promise<MadeDirectory> {
    const log = logTwin();
    const options = { store, verifier: this.verifier, signer: await this.node(name), clock: this.clock, log };
    const directory = await Directory.open(capacity ? { ...options, capacity } : options);
    this.#t.teardown(() => directory.close());
    return { directory, store, log };
  }

  async record<K extends Kind>(
    signer: Signer | string,
    kind: K,
    content: Contents[K],
    createdMs = this.clock.wallMs,
  ): Promise<SignedRecord> {
    const by = typeof signer === 'string' ? await this.node(signer) : signer;
    return signRecord(by, { kind, node: by.name, createdMs, content } as Statement);
  }

  revocation(of: Signer, createdMs = this.clock.wallMs): Promise<SignedRecord> {
    const content = revocationOf(of.certificate);
    return this.record(authoritySigner(this.authority), 'revocation', content, createdMs);
  }
}

export const sha = (text: string) => hash('sha256', text, 'hex');
export const digest = (text: string) => `sha256:${sha(text)}`;

/** A layer of this name, lowest or on top of another. */
export function layer(name: string, more: Partial<LayerRecord> = {}): LayerRecord {
  const diffId = digest(`diff of ${name}`);
  const parent = more.parent ?? '';
  return {
    chainId: chainIdOf(parent, diffId),
    diffId,
    parent,
    root: sha(`root of ${name}`),
    format: 'erofs-tar-lz4-1',
    origin: 'ingested',
    ...more,
  };
}

function object(name: string): StoredObject {
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  return { digest: digest(name), sizeBytes: 700, mediaType, blocks: [sha(`block of ${name}`)] };
}

export function ref(image: string, chainIds: readonly ChainId[], more: Partial<Ref> = {}): Ref {
  const manifest = object(`manifest of ${image}`);
  return { image, manifest, config: object(`config of ${image}`), chainIds, index: undefined, ...more };
}

export function checkpoint(id: string, image = 'registry:5000/app:1'): Contents['checkpoint'] {
  return {
    id,
    image,
    document: object(`document of ${id}`),
    workingSet: undefined,
    repeats: undefined,
    volumes: [sha(`upper of ${id}`), sha(`images of ${id}`)],
    memory: sha(`memory of ${id}`),
  };
}

/** All that counts. */
export function shown(directory: Directory): string[] {
  return [...directory.counting()].map(({ id, kind }) => `${kind} ${id}`).sort();
}
