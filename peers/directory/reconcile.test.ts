/** Two directories become the same, at a cost of what they differ in; a peer that breaks the rules is cut off. */
import t, { type Test } from 'tap';
import { generator } from '../../blocks/testing.ts';
import { answering } from './answering.ts';
import { DirectoryBed, layer, type MadeDirectory, sha } from './bed.twin.ts';
import type { Directory } from './directory.ts';
import {
  IDS_PER_PAGE,
  MAX_REFUSED_PER_EXCHANGE,
  RECORDS_PER_REQUEST,
  REFUSED_REMEMBERED_MS,
} from './limits.ts';
import { Reconciler } from './reconcile.ts';
import { recordIdOf } from './sign.ts';
import type { IdsPage, ReconcilePeer, RecordId, SignedRecord } from './types.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);

/** A peer whose messages are counted. */
function counted(peer: ReconcilePeer) {
  const seen = { digests: 0, pages: 0, ids: 0, requests: 0, records: 0 };
  const counting: ReconcilePeer = {
    async digest() {
      seen.digests++;
      return peer.digest();
    },
    async ids(buckets, after) {
      const page = await peer.ids(buckets, after);
      seen.pages++;
      seen.ids += page.ids.length;
      return page;
    },
    async records(ids) {
      const records = await peer.records(ids);
      seen.requests++;
      seen.records += records.length;
      return records;
    },
  };
  return { peer: counting, seen };
}

async function fill(bed: DirectoryBed, signer: string, names: readonly string[], ...into: Directory[]) {
  for (const name of names) {
    const record = await bed.record(signer, 'layer', layer(name));
    for (const directory of into) await directory.put(record);
  }
}

function names(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

function reconciler(bed: DirectoryBed, { directory, log }: MadeDirectory): Reconciler {
  return new Reconciler({ directory, clock: bed.clock, log });
}

t.test('after an exchange in each direction two random sets are one', async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = generator(SEED);
  for (let round = 0; round < 8; round++) {
    const bed = await DirectoryBed.make(t);
    const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
    await fill(bed, 'n3', names('both', random.below(200)), a.directory, b.directory);
    const [onlyA, onlyB] = [random.below(150), random.below(150)];
    await fill(bed, 'n3', names('a', onlyA), a.directory);
    await fill(bed, 'n4', names('b', onlyB), b.directory);
    const outcomes = [
      await reconciler(bed, a).pull(answering(b.directory), 'n2'),
      await reconciler(bed, b).pull(answering(a.directory), 'n1'),
    ];
    t.same(outcomes, [
      { added: onlyB, refused: 0, complete: true },
      { added: onlyA, refused: 0, complete: true },
    ]);
    t.same(a.directory.digests(), b.directory.digests());
    t.equal(a.directory.size, b.directory.size);
  }
});

t.test('what is exchanged grows with the difference, not with the directory', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  await fill(bed, 'n3', names('both', 800), a.directory, b.directory);
  const same = counted(answering(b.directory));
  await reconciler(bed, a).pull(same.peer, 'n2');
  t.same(same.seen, { digests: 1, pages: 0, ids: 0, requests: 0, records: 0 }, 'equal: one message');

  const difference = 5;
  await fill(bed, 'n3', names('b', difference), b.directory);
  const few = counted(answering(b.directory));
  await reconciler(bed, a).pull(few.peer, 'n2');
  t.match(few.seen, { digests: 1, pages: 1, requests: 1, records: difference });
  // 805 ids in 256 buckets: three on average, and hardly ever twenty.
  t.ok(few.seen.ids <= difference * 20, `${few.seen.ids} ids`);

  const many = 3 * RECORDS_PER_REQUEST + 1;
  await fill(bed, 'n3', names('c', many), b.directory);
  const more = counted(answering(b.directory));
  await reconciler(bed, a).pull(more.peer, 'n2');
  t.match(more.seen, { digests: 1, pages: 1, requests: 4, records: many });
});

t.test(
  'a revocation crosses what its signer has still said elsewhere, and both ends are without it',
  async (t) => {
    const bed = await DirectoryBed.make(t);
    const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
    await fill(bed, 'bad', names('x', 20), b.directory);
    await a.directory.put(await bed.revocation(await bed.node('bad')));
    t.same(await reconciler(bed, a).pull(answering(b.directory), 'n2'), {
      added: 0,
      refused: 20,
      complete: true,
    });
    t.match(await reconciler(bed, b).pull(answering(a.directory), 'n1'), { added: 1 });
    t.same(a.directory.digests(), b.directory.digests());
    t.equal(b.directory.size, 1);
  },
);

t.test('what is not taken is not asked for again for a while, and is no fault', async (t) => {
  const bed = await DirectoryBed.make(t);
  const a = await bed.directory('n1');
  const future = await bed.record('n3', 'layer', layer('a'), bed.clock.wallMs + 15 * 60_000);
  const id = recordIdOf(future.body, (await bed.node('n3')).key);
  const { peer, seen } = counted(lister([id], [future]));
  const puller = reconciler(bed, a);
  t.match(await puller.pull(peer, 'n2'), { added: 0, refused: 1 });
  t.match(await puller.pull(peer, 'n2'), { added: 0, refused: 0 });
  t.equal(seen.requests, 1);
  bed.clock.advance(REFUSED_REMEMBERED_MS + 1);
  t.match(await puller.pull(peer, 'n2'), { added: 1 }, 'its time has come');
  t.same(a.log.lines, []);
});

t.test('an exchange of very much that is not taken ends early, and goes on next time', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  const count = MAX_REFUSED_PER_EXCHANGE + 2 * RECORDS_PER_REQUEST;
  await fill(bed, 'bad', names('x', count), b.directory);
  await a.directory.put(await bed.revocation(await bed.node('bad')));
  const puller = reconciler(bed, a);
  const first = await puller.pull(answering(b.directory), 'n2');
  t.equal(first.complete, false);
  t.ok(first.refused < MAX_REFUSED_PER_EXCHANGE + RECORDS_PER_REQUEST);
  const second = await puller.pull(answering(b.directory), 'n2');
  t.same(second, { added: 0, refused: count - first.refused, complete: true });
});

/** A peer that lists these ids, all in one page, and gives these records whatever it is asked for. */
function lister(ids: RecordId[], records: SignedRecord[]): ReconcilePeer {
  return {
    digest: async () => new Uint8Array(256 * 32),
    ids: async () => ({ ids: ids.toSorted(), more: false }),
    records: async () => records,
  };
}

async function cutOff(t: Test, peer: ReconcilePeer, message: RegExp) {
  const bed = await DirectoryBed.make(t);
  const a = await bed.directory('n1');
  await t.rejects(reconciler(bed, a).pull(peer, 'n2'), { name: 'WireError', message });
  t.equal(a.directory.size, 0);
}

t.test('a peer whose answers do not fit the questions is cut off', async (t) => {
  const [low, high] = [sha('a'), sha('b')].sort() as [string, string];
  const page = (ids: RecordId[], more = false) => ({ ...lister([], []), ids: async () => ({ ids, more }) });
  await cutOff(t, { ...lister([], []), digest: async () => new Uint8Array(255 * 32) }, /bytes of digests/);
  await cutOff(t, page([high, low]), /does not go on/);
  await cutOff(t, page([low, low]), /does not go on/);
  await cutOff(t, page(['x'.repeat(64)]), /does not go on/);
  await cutOff(t, page([], true), /an empty page/);
  await cutOff(t, page(Array(IDS_PER_PAGE + 1).fill(low)), /a page of 4097 ids/);
  await cutOff(t, lister([low], []), /was listed, and is not there/);
});

t.test('a peer that has other ids in a bucket than it may is cut off', async (t) => {
  const bed = await DirectoryBed.make(t);
  const a = await bed.directory('n1');
  await fill(bed, 'n3', ['a'], a.directory);
  const [bucket] = [...a.directory.counting()].map(({ id }) => Number.parseInt(id.slice(0, 2), 16));
  const digests = Buffer.from(a.directory.digests());
  digests[bucket! * 32]! ^= 1;
  const other = sha('other').replace(/^../, ((bucket! + 1) % 256).toString(16).padStart(2, '0'));
  const peer = { ...lister([other], []), digest: async () => digests };
  await t.rejects(reconciler(bed, a).pull(peer, 'n2'), { name: 'WireError', message: /does not go on/ });
});

t.test('a peer that lists without end is cut off at the first page that brings nothing new', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  await fill(bed, 'n3', names('b', 10), b.directory);
  const honest = answering(b.directory);
  let pages = 0;
  const endless: ReconcilePeer = {
    ...honest,
    async ids(buckets): Promise<IdsPage> {
      pages++;
      return { ...(await honest.ids(buckets, undefined)), more: true };
    },
  };
  await t.rejects(reconciler(bed, a).pull(endless, 'n2'), { name: 'WireError' });
  t.equal(pages, 2);
  t.equal(a.directory.size, 10, 'what was good stays');
});

t.test(
  'a bad record ends the exchange and is named in the log, with who is said to have signed it',
  async (t) => {
    const bed = await DirectoryBed.make(t);
    const a = await bed.directory('n1');
    const good = await bed.record('n3', 'layer', layer('a'));
    const bad = { ...(await bed.record('n4', 'layer', layer('b'))), signature: good.signature };
    const idOf = async (record: SignedRecord, node: string) =>
      recordIdOf(record.body, (await bed.node(node)).key);
    const ids = { good: await idOf(good, 'n3'), bad: await idOf(bad, 'n4') };
    const byId = [
      { id: ids.good, record: good },
      { id: ids.bad, record: bad },
    ].sort((x, y) => (x.id < y.id ? -1 : 1));
    const peer = lister(
      byId.map(({ id }) => id),
      byId.map(({ record }) => record),
    );
    await t.rejects(reconciler(bed, a).pull(peer, 'n2'), {
      name: 'WireError',
      message: /bad record \(signature\)/,
    });
    t.match(a.log.lines, [
      [/bad record/, { peer: 'n2', record: ids.bad, signer: 'n4', reason: 'signature' }],
    ]);
    t.equal(a.directory.size, 1, 'the good one beside it stays');
  },
);

t.test('a record that was not asked for is not taken', async (t) => {
  const bed = await DirectoryBed.make(t);
  const a = await bed.directory('n1');
  const record = await bed.record('n3', 'layer', layer('a'));
  const message = /bad record \(mismatch\)/;
  await t.rejects(reconciler(bed, a).pull(lister([sha('x')], [record]), 'n2'), {
    name: 'WireError',
    message,
  });
  await t.rejects(reconciler(bed, a).pull(lister([sha('x')], [record, record]), 'n2'), {
    name: 'WireError',
    message: /2 records for 1 ids/,
  });
  t.equal(a.directory.size, 0);
});

t.test('an exchange ends when it is told to', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  await fill(bed, 'n3', ['a'], b.directory);
  const signal = AbortSignal.abort(new Error('stop'));
  await t.rejects(reconciler(bed, a).pull(answering(b.directory), 'n2', signal), { message: 'stop' });
});

t.test('pages of ids go through all buckets asked for, each id once', async (t) => {
  const all = Array.from({ length: 3 * IDS_PER_PAGE }, (_, i) => sha(String(i))).sort();
  const peer = answering({
    digests: () => new Uint8Array(),
    *ids(bucket, after = '') {
      for (const id of all) if (Number.parseInt(id.slice(0, 2), 16) === bucket && id > after) yield id;
    },
    record: () => undefined,
    layersByChainId: () => [],
  });
  const odd = Array.from({ length: 128 }, (_, i) => 2 * i + 1);
  const listed: RecordId[] = [];
  let page: IdsPage;
  do {
    page = await peer.ids(odd, listed.at(-1));
    t.ok(page.ids.length <= IDS_PER_PAGE);
    listed.push(...page.ids);
  } while (page.more);
  t.same(
    listed,
    all.filter((id) => Number.parseInt(id.slice(0, 2), 16) % 2 === 1),
  );
});

t.test('questions that break the rules are refused', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const peer = answering(directory);
  for (const buckets of [[], [1, 1], [2, 1], [-1], [256], [0.5]])
    await t.rejects(peer.ids(buckets, undefined), { name: 'WireError' }, JSON.stringify(buckets));
  await t.rejects(peer.ids([1], 'x'), { name: 'WireError' });
  for (const ids of [[], ['x'], Array(RECORDS_PER_REQUEST + 1).fill(sha('a'))])
    await t.rejects(peer.records(ids), { name: 'WireError' });
  t.same(await peer.records([sha('a')]), []);
});

t.test('a reply of records is cut when it is long, and the rest is asked for again', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  const chainIds = Array.from({ length: 1000 }, (_, i) => layer(`l${i}`).chainId);
  for (let i = 0; i < 20; i++)
    await b.directory.put(await bed.record('n3', 'removal', { image: `i${i}`, chainIds, recordIds: [] }));
  const { peer, seen } = counted(answering(b.directory));
  t.match(await reconciler(bed, a).pull(peer, 'n2'), { added: 20 });
  t.equal(seen.requests, 3, '20 times 33 KB in replies of 256 KiB');
  t.same(a.directory.digests(), b.directory.digests());
});
