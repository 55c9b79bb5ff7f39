/**
 * Random calls, restarts and reboots against a model of what the kernel does with our mounts: an overlay keeps the lowers
 * that its links showed when it was mounted. So whatever happens, those must stay readable until the snapshot is removed
 * or the machine reboots. That is the one promise that the swap, the unmounting and the discarding have to keep.
 */
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bed, chainOf, makeBed, recordOf, refTo, rootOf } from './bed.twin.ts';
import { SnapshotError } from './errors.ts';
import { layerNameOf } from './record.ts';
import type { Mount } from './types.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STEPS = 400;

/** A layer: number n is on n - 1, or on nothing where n is a multiple of this. */
const CHAIN_LENGTH = 5;
const LAYERS = 15;
const parentOf = (n: number) => (n % CHAIN_LENGTH === 0 ? undefined : n - 1);

class Model {
  readonly bed: Bed;
  readonly #pick: (below: number) => number;
  /** Open snapshots, with what their mount has held since it was made. */
  readonly held = new Map<string, string[]>();
  /** Names of committed snapshots by their directory. */
  readonly #unpackedIn = new Map<string, string>();
  #sequence = 0;

  constructor(bed: Bed, pick: (below: number) => number) {
    this.bed = bed;
    this.#pick = pick;
  }

  /** One random call. A refusal (SnapshotError) is fine: the calls are made blindly. */
  async step(): Promise<void> {
    const steps = [this.pull, this.pull, this.pull, this.run, this.run, this.mountAgain, this.removeOpen];
    const rarer = [
      this.removeLayer,
      this.ingestEnds,
      this.ingestEnds,
      this.neighbourHas,
      this.restart,
      this.tick,
    ];
    const step = this.#of([...steps, ...steps, ...rarer])!;
    try {
      await step.call(this);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
    }
  }

  /** Every held lower is still what it was, and all records agree. */
  async check(): Promise<void> {
    this.bed.snapshotter.checkInvariants();
    for (const [key, lowers] of this.held) {
      for (const lower of lowers) {
        if (!existsSync(join(lower, 'volume'))) throw new Error(`${key} has lost ${lower}`);
      }
    }
  }

  /** As containerd pulls: asks for the layer, unpacks it if it is not offered. */
  async pull(): Promise<void> {
    const { snapshotter } = this.bed;
    const n = this.#pick(LAYERS);
    const parent = await this.#committed(parentOf(n));
    const key = this.#key('extract');
    const mounts = await snapshotter.prepare(key, parent, this.#pick(3) ? refTo(n) : {});
    const upper = upperOf(mounts[0]!);
    writeFileSync(join(upper, 'volume'), rootOf(n));
    const name = `default/${++this.#sequence}/${chainOf(n)}`;
    this.#unpackedIn.set(upper, name);
    await snapshotter.commit(name, key, refTo(n));
  }

  async run(): Promise<void> {
    const { snapshotter } = this.bed;
    const parent = await this.#committed(this.#pick(LAYERS));
    const key = this.#key('container');
    const mounts = await (this.#pick(4)
      ? snapshotter.prepare(key, parent, {})
      : snapshotter.view(key, parent, {}));
    this.#mount(key, mounts);
  }

  async mountAgain(): Promise<void> {
    const key = this.#of([...this.held.keys()]);
    if (key === undefined) return;
    const mounts = await this.bed.snapshotter.mounts(key);
    this.held.get(key)!.push(...resolved(mounts));
  }

  async removeOpen(): Promise<void> {
    const key = this.#of([...this.held.keys()]);
    if (key === undefined) return;
    this.held.delete(key);
    await this.bed.snapshotter.remove(key);
  }

  async removeLayer(): Promise<void> {
    const name = await this.#committed(this.#pick(LAYERS));
    if (name !== '') await this.bed.snapshotter.remove(name);
  }

  async ingestEnds(): Promise<void> {
    const pending = this.bed.layers.pending[0];
    if (pending === undefined) return;
    // What ingest reads is there until it is done.
    const { directory, lowers, chainId } = pending.layer;
    const isThere = (await this.#names()).includes(this.#unpackedIn.get(directory)!);
    if (isThere) for (const path of [directory, ...lowers]) readFileSync(join(path, 'volume'));
    if (this.#pick(5) === 0) await this.bed.layers.failIngest();
    else await this.bed.layers.finishIngest(chainId.slice('sha256:'.length));
  }

  async neighbourHas(): Promise<void> {
    const n = this.#pick(LAYERS);
    this.bed.layers.known.set(chainOf(n), recordOf(n, parentOf(n)));
  }

  async restart(): Promise<void> {
    const reboot = this.#pick(2) === 0;
    await this.bed.restart(reboot ? 'reboot' : undefined);
    if (!reboot) return;
    for (const key of this.held.keys()) this.held.set(key, []);
    for (const key of this.held.keys()) this.#mount(key, await this.bed.snapshotter.mounts(key));
  }

  /** Time for what is delayed. */
  async tick(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 3));
  }

  #mount(key: string, mounts: Mount[]): void {
    this.held.set(key, resolved(mounts));
  }

  /** Some committed snapshot of the layer; '' for none at all. Throws where the layer is not here. */
  async #committed(n: number | undefined): Promise<string> {
    if (n === undefined) return '';
    const name = this.#of((await this.#names()).filter((each) => layerNameOf(each)?.chainId === chainOf(n)));
    if (name === undefined) throw new SnapshotError('not-found', 'not pulled yet');
    return name;
  }

  async #names(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of this.bed.snapshotter.list(['kind==committed'])) names.push(name);
    return names;
  }

  #key(what: string): string {
    return `default/${++this.#sequence}/${what}`;
  }

  #of<T>(items: T[]): T | undefined {
    return items[this.#pick(items.length)];
  }
}

/** What the kernel would hold on to: the lowers behind the links. */
function resolved([mount]: Mount[]): string[] {
  const lowers = mount!.options.find((option) => option.startsWith('lowerdir='))?.slice('lowerdir='.length);
  return (lowers?.split(':') ?? [mount!.source]).map((lower) => realpathSync(lower));
}

function upperOf({ type, source, options }: Mount): string {
  if (type === 'bind') return source;
  return options.find((option) => option.startsWith('upperdir='))!.slice('upperdir='.length);
}

t.test('mounted lowers stay, whatever happens', async (t) => {
  t.comment(`seed ${SEED}`);
  let state = SEED;
  const pick = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const model = new Model(await makeBed(t, { unmountAfterMs: 1 }), pick);
  for (let step = 0; step < STEPS; step++) {
    await model.step();
    if (pick(2)) await model.bed.snapshotter.settled();
    await model.check();
  }
  t.ok(model.held.size > 0);
});

t.test('in the end, all space comes back', async (t) => {
  const { bed } = new Model(await makeBed(t), () => 0);
  const names: string[] = [];
  for (let n = 0; n < CHAIN_LENGTH; n++) {
    await bed.snapshotter.prepare(`k${n}`, names.at(-1) ?? '', {});
    names.push(`default/${n}/${chainOf(n)}`);
    await bed.snapshotter.commit(names.at(-1)!, `k${n}`, refTo(n));
  }
  for (let n = 0; n < CHAIN_LENGTH; n++) await bed.layers.finishIngest(rootOf(n));
  for (const name of names.toReversed()) await bed.snapshotter.remove(name);
  await bed.snapshotter.cleanup();
  t.equal(bed.layers.known.size, 0);
});
