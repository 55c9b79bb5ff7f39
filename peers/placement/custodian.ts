/**
 * Carries custody out on one node: looks over what is here and what is owned, again and again; pins, asks the owners, drops
 * and fetches; and answers other nodes that ask for pins. What it does is planned by custody.ts and guarded by pins.ts.
 *
 * One pass after the other: soon after something has changed or was achieved, ever more rarely (up to `PASS_MAX_MS`) when there
 * is nothing to do. A pass that finds nothing sends nothing. After a change of the members it waits before it fetches
 * (`SETTLE_MS`), since most that go come back.
 *
 * Whatever a pass has found out about volumes counts only while `volumes.version` stays the same: a volume that becomes
 * known meanwhile may name a block that is about to go.
 */
import type { BlockId } from '../../blocks/types.ts';
import type { Attempt } from './attempts.ts';
import { Backoff } from './backoff.ts';
import { type Ask, asksFor, type Candidate, type Plan, Survey } from './custody.ts';
import { Fetching } from './fetching.ts';
import { checkPinAnswers, checkPinRequest, type PinAnswer, type PinRequest } from './messages.ts';
import type { Owners } from './owners.ts';
import { Pins } from './pins.ts';
import { shardOf } from './shards.ts';
import { Timers } from './timers.ts';
import type { CustodianParts } from './types.ts';

const PASS_MIN_MS = 5000;
const AWAITED_MS = 100;
const PASS_MAX_MS = 60_000;
const SETTLE_MS = 20_000;
/** Blocks looked at between two turns of the event loop: a few milliseconds of work. */
const SLICE = 8192;
/** A refused block, and an owner that did not answer, are asked again after these. */
const REFUSED = { minMs: 15_000, maxMs: 600_000, maxEntries: 8192 };
const SILENT = { minMs: 15_000, maxMs: 120_000, maxEntries: 4096 };

/** Since the process started. */
export interface CustodyTotals {
  pinned: number;
  fetched: number;
  fetchedBytes: number;
  dropped: number;
  /** Blocks that owners were asked for, one owner at a time. */
  asked: number;
}

export class Custodian {
  readonly #parts: CustodianParts;
  readonly #pins: Pins;
  readonly #fetching: Fetching;
  readonly #timers: Timers;
  readonly #refused = new Backoff(REFUSED);
  readonly #silent = new Backoff(SILENT);
  #owners: Owners;
  #owned: Uint8Array;
  #membersChangedMs: number;
  #passIntervalMs = PASS_MIN_MS;
  #cancelPass: () => void = () => {};
  /** The pass that is under way. */
  #passing: Promise<boolean> | undefined;
  #isStopped = false;
  readonly #totals = { dropped: 0, asked: 0 };

  constructor(parts: CustodianParts) {
    this.#parts = parts;
    this.#owners = parts.owners();
    this.#owned = this.#owners.ownedBy(parts.self);
    this.#membersChangedMs = parts.clock.now();
    this.#timers = new Timers(parts.clock);
    const isOwner = (id: BlockId) => this.#isOwner(id);
    this.#pins = new Pins({ store: parts.pins, blocks: parts.blocks, isOwner });
    this.#fetching = new Fetching(parts, this.#timers, isOwner);
  }

  async start(): Promise<void> {
    await this.#pins.start();
    this.#passIn(PASS_MIN_MS);
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.stop();
  }

  totals(): CustodyTotals {
    return { pinned: this.#pins.count(), ...this.#fetching.totals, ...this.#totals };
  }

  /** True while an attempt to drop the block is open here. */
  isDropping(id: BlockId): boolean {
    return this.#pins.isDropping(id);
  }

  /** This node has promised to keep the block. */
  isPinned(id: BlockId): boolean {
    return this.#pins.has(id);
  }

  /** Another node asks for pins. Throws `BadPinMessageError`. */
  async answer(request: PinRequest): Promise<PinAnswer[]> {
    checkPinRequest(request);
    const { volumes } = this.#parts;
    if (!request.roots.every((root) => volumes.isLiving(root))) {
      return request.ids.map(() => 'unknown volume');
    }
    return await this.#pins.give(request.ids);
  }

  /** The store has found the block corrupt and removed it. To be told before the block can come again. */
  async lost(id: BlockId): Promise<void> {
    await this.#pins.lost(id);
    this.#soon();
  }

  /** The owners are others now. */
  membersChanged(): void {
    this.#owners = this.#parts.owners();
    this.#owned = this.#owners.ownedBy(this.#parts.self);
    this.#membersChangedMs = this.#parts.clock.now();
    this.#refused.clear();
    this.#silent.clear();
    this.#fetching.membersChanged();
    this.#soon();
  }

  /** A volume has become known, or was removed everywhere; or a container has ended. `isAwaited`: somebody waits until it is kept. */
  changed(isAwaited = false): void {
    this.#soon(isAwaited ? AWAITED_MS : PASS_MIN_MS);
  }

  #isOwner(id: BlockId): boolean {
    return this.#owned[shardOf(id)] === 1;
  }

  #soon(ms = PASS_MIN_MS): void {
    this.#passIntervalMs = ms;
    if (!this.#passing) this.#passIn(ms);
  }

  /** By chance up to half as long again, so that nodes which hear of the same change do not all ask at once. */
  #passIn(ms: number): void {
    this.#cancelPass();
    const { clock } = this.#parts;
    this.#cancelPass = this.#timers.after(ms * (1 + clock.random() / 2), () => void this.pass());
  }

  /** One pass now, after one that is under way. True when something was achieved, so that more may be possible. */
  async pass(): Promise<boolean> {
    while (this.#passing) await this.#passing;
    this.#cancelPass();
    this.#passing = this.#pass();
    return this.#passing;
  }

  async #pass(): Promise<boolean> {
    const intervalMs = this.#passIntervalMs;
    this.#passIntervalMs = Math.min(intervalMs * 2, PASS_MAX_MS);
    let isAchieved = false;
    try {
      isAchieved = await this.#work();
      if (isAchieved) this.#passIntervalMs = Math.min(this.#passIntervalMs, PASS_MIN_MS);
    } catch (error) {
      this.#parts.log.error({ err: error }, 'a pass over the blocks in custody failed');
    }
    this.#passing = undefined;
    if (!this.#isStopped) this.#passIn(this.#passIntervalMs);
    return isAchieved;
  }

  /** True when something was achieved, so that more may be possible. */
  async #work(): Promise<boolean> {
    const { version } = this.#parts.volumes;
    const plan = await this.#plan();
    const pinned = plan.pin.length > 0 && (await this.#pins.give(plan.pin)).includes('kept');
    const dropped =
      (await this.#dropRemoved(plan.removed, version)) + (await this.#dropAsked(plan.ask, version));
    const isSettled = this.#parts.clock.now() - this.#membersChangedMs >= SETTLE_MS;
    const fetched = isSettled ? await this.#fetching.run(plan.fetch) : 0;
    return pinned || dropped > 0 || fetched > 0 || (!isSettled && plan.fetch.length > 0);
  }

  async #plan(): Promise<Plan> {
    const { volumes, holdings, limits, clock, blocks, pins, log } = this.#parts;
    const survey = new Survey({
      owned: this.#owned,
      limits: limits(),
      usedBytes: holdings.usedBytes(),
      freeBytes: holdings.freeBytes(),
      nowMs: clock.wall(),
      has: (id) => blocks.has(id),
      isPinned: (id) => pins.has(id),
      isInUse: (id) => holdings.isInUse(id),
      isAwaited: (root) => volumes.isAwaited(root),
      mayAsk: (id) => (this.#isOwner(id) ? this.#fetching.may(id) : this.#mayAsk(id)),
    });
    let seen = 0;
    for (const block of holdings.held()) {
      survey.held(block);
      if (++seen % SLICE === 0) await this.#timers.sleep(0);
    }
    for (const root of volumes.removed()) {
      const volume = await volumes.blocks(root);
      if (volume) survey.removed(volume);
    }
    let isWhole = true;
    const { awaited = [], others = [] } = Object.groupBy(this.#shuffled(volumes.living()), (root) =>
      volumes.isAwaited(root) ? 'awaited' : 'others',
    );
    for (const root of [...awaited, ...others]) {
      const volume = await volumes.blocks(root);
      if (!volume) isWhole = false;
      else survey.living(volume);
      seen += volume?.blockCount ?? 0;
      if (seen >= SLICE) {
        seen = 0;
        await this.#timers.sleep(0);
      }
    }
    const plan = survey.plan();
    if (isWhole) return plan;
    log.warn('the index of a known volume cannot be read: no block is dropped until it can');
    return { ...plan, ask: [], removed: [] };
  }

  /** Each pass begins with another volume, so that one whose blocks cannot be had does not hold up the rest. */
  #shuffled<T>(items: Iterable<T>): T[] {
    const list = [...items];
    const start = Math.floor(this.#parts.clock.random() * list.length);
    return [...list.slice(start), ...list.slice(0, start)];
  }

  #mayAsk(id: BlockId): boolean {
    const nowMs = this.#parts.clock.now();
    if (!this.#refused.mayAsk(id, nowMs)) return false;
    const owners = this.#owners.of(shardOf(id));
    return (
      owners.length >= this.#owners.replicas && owners.every((owner) => this.#silent.mayAsk(owner, nowMs))
    );
  }

  async #dropRemoved(ids: readonly BlockId[], version: number): Promise<number> {
    const { volumes, holdings } = this.#parts;
    if (ids.length === 0 || volumes.version !== version) return 0;
    return this.#drop(ids, (id) => volumes.version === version && !holdings.isInUse(id));
  }

  async #dropAsked(candidates: readonly Candidate[], version: number): Promise<number> {
    const { clock, volumes, holdings } = this.#parts;
    const attempts = candidates.flatMap(({ id, roots }) => this.#pins.begin(id, roots, clock.now()) ?? []);
    try {
      await Promise.all(this.#askedInTurn(attempts));
      if (volumes.version !== version) return 0;
      const ids: BlockId[] = [];
      for (const attempt of attempts) {
        const may = this.#mayDrop(attempt);
        if (may) ids.push(attempt.id);
        else this.#refused.refused(attempt.id, clock.now());
      }
      return await this.#drop(ids, (id) => !this.#isOwner(id) && !holdings.isInUse(id));
    } finally {
      for (const attempt of attempts) this.#pins.end(attempt);
    }
  }

  #mayDrop(attempt: Attempt): boolean {
    const owners = this.#owners.of(shardOf(attempt.id));
    const { self, clock } = this.#parts;
    return this.#pins.mayDrop(attempt, {
      self,
      owners,
      replicas: this.#owners.replicas,
      nowMs: clock.now(),
    });
  }

  async #drop(ids: readonly BlockId[], isFree: (id: BlockId) => boolean): Promise<number> {
    if (ids.length === 0 || this.#isStopped) return 0;
    const dropped = await this.#pins.drop(ids, isFree);
    this.#totals.dropped += dropped.length;
    return dropped.length;
  }

  /** All owners at once, each with one question at a time, until one of its questions fails. */
  #askedInTurn(attempts: readonly Attempt[]): Promise<void>[] {
    const asks = asksFor(attempts, (shard) => this.#owners.of(shard));
    const byOwner = Map.groupBy(asks, ({ owner }) => owner);
    return [...byOwner.values()].map(async (some) => {
      for (const ask of some) if (!(await this.#ask(ask))) return;
    });
  }

  /** False when the owner could not be asked. */
  async #ask({ owner, request, candidates: attempts }: Ask<Attempt>): Promise<boolean> {
    const { others, clock, log } = this.#parts;
    this.#totals.asked += request.ids.length;
    try {
      const answers = await others.ask(owner, request);
      checkPinAnswers(request, answers);
      attempts.forEach((attempt, i) => {
        if (answers[i] === 'kept') this.#pins.confirm(attempt, owner);
      });
      this.#silent.accepted(owner);
      return true;
    } catch (error) {
      log.debug({ owner, err: error }, 'an owner could not be asked for pins');
      this.#silent.refused(owner, clock.now());
      return false;
    }
  }
}
