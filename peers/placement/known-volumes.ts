/**
 * The volumes that custody knows, as the directory's records have it: a volume is living as long as a record that counts names its root
 * and its index is here, and removed when no record names it any more while its index is still here. Missing indexes are fetched.
 *
 * - What is living or removed changes only together with `version`, in one turn of the event loop.
 * - It follows from the records alone, not from their order: at each change, the layer or checkpoint concerned is looked up again. A
 *   removal by ids of records and a revocation do not say which of them they concern, and a removal that is revoked itself brings layers
 *   back: then all are looked at.
 * - A living volume whose index is lost stays living while it is fetched again, with no blocks to tell of: nothing is dropped then.
 * - A volume that is not named and whose index is gone is forgotten.
 *
 * Custody must not begin before `start` has resolved: with half of the volumes known, a block of a removed one might seem unused.
 */
import type { Root } from '../../blocks/types.ts';
import type { Clock } from '../clock.ts';
import { decodeBody } from '../directory/body.ts';
import type { Directory } from '../directory/directory.ts';
import { BUCKETS } from '../directory/limits.ts';
import type { Held, RecordId } from '../directory/types.ts';
import type { Log } from '../types.ts';
import type { VolumeBlocks } from './custody.ts';
import { IndexFetches } from './index-fetches.ts';
import { Timers } from './timers.ts';
import type { KnownVolumes } from './types.ts';

export interface CatalogueParts {
  directory: Pick<Directory, 'ids' | 'record' | 'layersByChainId' | 'checkpoint' | 'onAdd'>;
  /** Of the indexes that are durably here. */
  volumes: {
    has(root: Root): boolean;
    /** Undefined when it is not here or cannot be read. */
    blocks(root: Root): Promise<VolumeBlocks | undefined>;
  };
  /** Brings the index of a volume from others; resolves once it is durably here. */
  fetchIndex(root: Root): Promise<void>;
  clock: Clock;
  log: Log;
  /** After each change of `version`; `isAwaited`: of a volume that somebody waits for. */
  onChange(isAwaited: boolean): void;
}

/** What names volumes: a layer, by its chainID, or a checkpoint, by its id behind a prefix that no chainID has. */
type Subject = string;
const CHECKPOINT = 'checkpoint ';

type Named = Pick<Held<'layer'>, 'kind' | 'content'> | Pick<Held<'checkpoint'>, 'kind' | 'content'>;

/** Records looked at between two turns of the event loop: a few milliseconds of work. */
const SLICE = 256;

export class Catalogue implements KnownVolumes {
  readonly #parts: CatalogueParts;
  readonly #timers: Timers;
  readonly #fetches: IndexFetches;
  /** By subject, the roots that records which count give it; and by root, those subjects. */
  readonly #roots = new Map<Subject, ReadonlySet<Root>>();
  readonly #subjects = new Map<Root, Set<Subject>>();
  readonly #living = new Set<Root>();
  readonly #removed = new Set<Root>();
  #version = 0;
  #unsubscribe = () => {};
  #isStopped = false;
  /** Looking at all records: one after the other, and again when that was asked for meanwhile. */
  #looking: Promise<void> = Promise.resolve();
  #looksWaiting = 0;

  constructor(parts: CatalogueParts) {
    this.#parts = parts;
    this.#timers = new Timers(parts.clock);
    this.#fetches = new IndexFetches({
      clock: parts.clock,
      log: parts.log,
      fetchIndex: (root) => parts.fetchIndex(root),
      isMissing: (root) => this.#subjects.has(root) && !parts.volumes.has(root),
      fetched: (root) => this.#settle([root]),
    });
  }

  /** Resolves once all records that are here have been looked at; their indexes may still be on the way. */
  async start(): Promise<void> {
    this.#unsubscribe = this.#parts.directory.onAdd((held) => this.#added(held));
    await this.#lookAtAll();
  }

  stop(): void {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#timers.stop();
    this.#fetches.stop();
  }

  get version(): number {
    return this.#version;
  }

  isLiving(root: Root): boolean {
    return this.#living.has(root);
  }

  isRemoved(root: Root): boolean {
    return this.#removed.has(root);
  }

  isAwaited(root: Root): boolean {
    for (const subject of this.#subjects.get(root) ?? []) if (subject.startsWith(CHECKPOINT)) return true;
    return false;
  }

  /** The index of every volume that a record names is here: whatever no index names, no volume has. */
  isWhole(): boolean {
    for (const root of this.#subjects.keys()) if (!this.#parts.volumes.has(root)) return false;
    return true;
  }

  living(): Iterable<Root> {
    return this.#living.keys();
  }

  removed(): Iterable<Root> {
    return this.#removed.keys();
  }

  async blocks(root: Root): Promise<VolumeBlocks | undefined> {
    const blocks = await this.#parts.volumes.blocks(root);
    if (blocks === undefined && !this.#isStopped) this.#settle([root]);
    return blocks;
  }

  #added(held: Held): void {
    switch (held.kind) {
      case 'layer':
      case 'checkpoint':
        this.#look(subjectOf(held), rootsOf(held));
        break;
      case 'removal':
        for (const chainId of held.content.chainIds) this.#look(chainId);
        if (held.content.recordIds.length > 0) void this.#lookAtAll();
        break;
      case 'revocation':
        void this.#lookAtAll();
    }
  }

  /** Those of which records were here, and those of which records are here. */
  #lookAtAll(): Promise<void> {
    if (this.#looksWaiting > 0) return this.#looking;
    this.#looksWaiting++;
    this.#looking = this.#looking.then(() => {
      this.#looksWaiting--;
      return this.#lookInSlices();
    });
    return this.#looking;
  }

  /** A sleep that `stop` cuts off does not return, so nothing is looked at after it. */
  async #lookInSlices(): Promise<void> {
    let seen = 0;
    const pause = async () => {
      if (++seen % SLICE === 0) await this.#timers.sleep(0);
    };
    for (const subject of [...this.#roots.keys()]) {
      this.#look(subject);
      await pause();
    }
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      for (const id of [...this.#parts.directory.ids(bucket)]) {
        this.#lookAtRecord(id);
        await pause();
      }
    }
  }

  #lookAtRecord(id: RecordId): void {
    const record = this.#parts.directory.record(id);
    const said = record && decodeBody(record.body);
    if (said?.kind !== 'layer' && said?.kind !== 'checkpoint') return;
    const subject = subjectOf(said);
    const roots = rootsOf(said);
    if (roots.some((root) => !this.#roots.get(subject)?.has(root))) this.#look(subject, roots);
  }

  /** What records that count say of the subject now; `named`, too, were named by one, which may not count. */
  #look(subject: Subject, named: readonly Root[] = []): void {
    const before = this.#roots.get(subject) ?? new Set<Root>();
    const roots = new Set(this.#counting(subject).flatMap(rootsOf));
    if (roots.size > 0) this.#roots.set(subject, roots);
    else this.#roots.delete(subject);
    const gone = [...before].filter((root) => !roots.has(root));
    const come = [...roots].filter((root) => !before.has(root));
    for (const root of gone) this.#unname(root, subject);
    for (const root of come) this.#name(root, subject);
    this.#settle([...gone, ...come, ...named]);
  }

  #counting(subject: Subject): Named[] {
    const { directory } = this.#parts;
    return subject.startsWith(CHECKPOINT)
      ? directory.checkpoint(subject.slice(CHECKPOINT.length))
      : directory.layersByChainId(subject);
  }

  #name(root: Root, subject: Subject): void {
    const subjects = this.#subjects.get(root) ?? new Set();
    this.#subjects.set(root, subjects.add(subject));
  }

  #unname(root: Root, subject: Subject): void {
    const subjects = this.#subjects.get(root);
    subjects?.delete(subject);
    if (subjects?.size === 0) this.#subjects.delete(root);
  }

  #settle(roots: Iterable<Root>): void {
    const changed = [...new Set(roots)].filter((root) => this.#settleOne(root));
    if (changed.length === 0) return;
    this.#version++;
    this.#parts.onChange(changed.some((root) => this.isAwaited(root)));
  }

  /** True when it is living or removed otherwise than before. */
  #settleOne(root: Root): boolean {
    const isHere = this.#parts.volumes.has(root);
    const isNamed = this.#subjects.has(root);
    if (isNamed && !isHere) this.#fetches.want(root);
    const isLiving = isNamed && (isHere || this.#living.has(root));
    const isRemoved = !isNamed && isHere;
    const isLivingChanged = put(this.#living, root, isLiving);
    return put(this.#removed, root, isRemoved) || isLivingChanged;
  }
}

function subjectOf({ kind, content }: Named): Subject {
  return kind === 'layer' ? content.chainId : CHECKPOINT + content.id;
}

function rootsOf({ kind, content }: Named): Root[] {
  return kind === 'layer' ? [content.root] : [content.memory, ...content.volumes];
}

/** Whether it was otherwise before. */
function put<T>(set: Set<T>, item: T, isIn: boolean): boolean {
  if (set.has(item) === isIn) return false;
  if (isIn) set.add(item);
  else set.delete(item);
  return true;
}
