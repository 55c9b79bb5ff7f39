/**
 * Directories that have received the same records, in whatever order, are the same. Random records of a few signers about a few
 * things, so that they end, replace and revoke each other a lot. SEED repeats a run.
 */
import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { generator } from '../../blocks/testing.ts';
import { logTwin } from '../bed.twin.ts';
import { answering } from './answering.ts';
import { checkpoint, DAY_MS, DirectoryBed, layer, ref, sha, shown, shuffled } from './bed.twin.ts';
import type { Directory } from './directory.ts';
import { SWEEP_EVERY_MS } from './limits.ts';
import { Reconciler } from './reconcile.ts';
import { RecordError } from './refusal.ts';
import { recordIdOf } from './sign.ts';
import { settle } from './trust.ts';
import type { SignedRecord, Signer } from './types.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const ROUNDS = 25;
const RECORDS = 30;
const DIRECTORIES = 3;

type Random = ReturnType<typeof generator>;
const LAYERS = ['a', 'b', 'c'];
const IMAGES = ['app:1', 'app:2'];

async function signers(bed: DirectoryBed): Promise<Signer[]> {
  const notBefore = new Date(bed.clock.wallMs - 200 * DAY_MS);
  return Promise.all(['n1', 'n2', 'n3', 'n4'].map((name) => bed.crafted({ name, notBefore })));
}

/** One statement of one signer, up to `maxAgeDays` old. Earlier records may be named. */
async function oneRecord(
  bed: DirectoryBed,
  random: Random,
  by: Signer[],
  made: string[],
  maxAgeDays: number,
) {
  const signer = random.pick(by);
  // Few times: ties have to be settled too.
  const createdMs = bed.clock.wallMs - random.below(40) * (maxAgeDays / 40) * DAY_MS;
  const chains = () =>
    shuffled(LAYERS, random.below)
      .slice(0, random.below(3))
      .map((name) => layer(name).chainId);
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2: {
      const origin = random.pick(['ingested', 'copied'] as const);
      const root = sha(`root ${random.below(3)}`);
      return bed.record(signer, 'layer', layer(random.pick(LAYERS), { origin, root }), createdMs);
    }
    case 3:
    case 4:
      return bed.record(
        signer,
        'ref',
        ref(random.pick(IMAGES), [layer('a').chainId, ...chains()]),
        createdMs,
      );
    case 5: {
      const repeats = made.length > 0 && random.below(2) === 0 ? random.pick(made) : undefined;
      const content = { ...checkpoint('c1', random.pick(IMAGES)), repeats };
      return bed.record(signer, 'checkpoint', content, createdMs);
    }
    default: {
      const recordIds = shuffled(made, random.below).slice(0, random.below(3));
      const content = { image: random.pick(IMAGES), chainIds: chains(), recordIds };
      return bed.record(signer, 'removal', content, createdMs);
    }
  }
}

async function manyRecords(
  bed: DirectoryBed,
  random: Random,
  by: Signer[],
  maxAgeDays: number,
): Promise<SignedRecord[]> {
  const records: SignedRecord[] = [];
  const ids: string[] = [];
  while (records.length < RECORDS) {
    const record = await oneRecord(bed, random, by, ids, maxAgeDays);
    records.push(record);
    const key = by.find(({ certificate }) => Buffer.from(certificate).equals(record.certificate))!.key;
    ids.push(recordIdOf(record.body, key));
  }
  if (random.below(2) === 0) records.push(await bed.revocation(random.pick(by)));
  return records;
}

async function putAll(directory: Directory, records: readonly SignedRecord[]): Promise<void> {
  for (const record of records) {
    await directory.put(record).catch((error) => {
      if (!(error instanceof RecordError) || error.bad) throw error;
    });
  }
}

function state(directory: Directory) {
  return {
    digests: Buffer.from(directory.digests()).toString('hex'),
    shown: shown(directory),
    verdicts: LAYERS.map((name) =>
      settle(directory.layersByChainId(layer(name).chainId), { kind: 'signed' }),
    ),
  };
}

t.test('the order in which records arrive makes no difference', async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = generator(SEED);
  const seen = { ended: 0, replaced: 0 };
  const bed = await DirectoryBed.make(t);
  const by = await signers(bed);
  for (let round = 0; round < ROUNDS; round++) {
    const records = await manyRecords(bed, random, by, 50);
    const states: ReturnType<typeof state>[] = [];
    for (let i = 0; i < DIRECTORIES; i++) {
      const { directory } = await bed.directory(`d${i}`);
      await putAll(directory, shuffled(records, random.below));
      states.push(state(directory));
      seen.ended += directory.size - states[i]!.shown.length;
      seen.replaced += records.length - directory.size;
    }
    for (const other of states.slice(1)) {
      if (JSON.stringify(other) !== JSON.stringify(states[0]))
        return t.same(other, states[0], `round ${round}`);
    }
  }
  t.ok(seen.ended > 0 && seen.replaced > 0, JSON.stringify(seen));
});

t.test('parts of the records, old ones among them, become the same by exchanges', async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = generator(SEED + 1);
  const bed = await DirectoryBed.make(t);
  const by = await signers(bed);
  for (let round = 0; round < ROUNDS; round++) {
    const records = await manyRecords(bed, random, by, 110);
    const directories: Directory[] = [];
    for (let i = 0; i < DIRECTORIES; i++) {
      const { directory } = await bed.directory(`d${i}`);
      await putAll(directory, shuffled(records, random.below).slice(0, 5 + random.below(records.length)));
      directories.push(directory);
    }
    for (let times = 0; times < 2; times++) {
      await exchangeAll(bed, directories);
      bed.clock.advance(SWEEP_EVERY_MS);
      await setImmediate();
    }
    const [first, ...others] = directories.map(state);
    for (const directory of directories) directory.close();
    for (const other of others) {
      if (JSON.stringify(other) !== JSON.stringify(first)) return t.same(other, first, `round ${round}`);
    }
  }
  t.pass(`${ROUNDS} rounds`);
});

/** Each takes from each, twice: what came from one goes on to the next. */
async function exchangeAll(bed: DirectoryBed, directories: readonly Directory[]): Promise<void> {
  for (let times = 0; times < 2; times++) {
    for (const to of directories) {
      const reconciler = new Reconciler({ directory: to, clock: bed.clock, log: logTwin() });
      for (const from of directories) if (from !== to) await reconciler.pull(answering(from), 'other');
    }
  }
}
