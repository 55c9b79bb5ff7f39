import t from 'tap';
import { Attempts } from './attempts.ts';
import { asksFor, type HeldBlock, type Situation, Survey, type VolumeBlocks } from './custody.ts';
import { MAX_PIN_IDS } from './messages.ts';
import { SHARDS, shardOf } from './shards.ts';

const KIB = 1024;
const [V, W] = ['1'.repeat(64), '2'.repeat(64)] as [string, string];

/** Block n, each in a shard of its own. */
const block = (n: number) => (n * 4).toString(16).padStart(4, '0').padEnd(64, 'e');

function volume(root: string, ...numbers: number[]): VolumeBlocks {
  return {
    root,
    blockCount: numbers.length,
    blockId: (i) => block(numbers[i]!),
    offset: (i) => i * 100 * KIB,
  };
}

interface Here {
  owned?: number[];
  here?: number[];
  pinned?: number[];
  used?: number[];
  refused?: number[];
  maxBytes?: number;
  freeBytes?: number;
  awaited?: string;
}

function surveyOf({ owned = [], here = [], pinned = [], used = [], refused = [], awaited, ...disk }: Here) {
  const marks = new Uint8Array(SHARDS);
  for (const n of owned) marks[shardOf(block(n))] = 1;
  const among = (numbers: number[]) => (id: string) => numbers.some((n) => block(n) === id);
  const situation: Situation = {
    owned: marks,
    limits: {
      maxBytes: disk.maxBytes ?? 1e9,
      minFreeBytes: 100 * KIB,
      idleMs: 1000,
      fetchBytesPerSecond: 100 * KIB,
    },
    usedBytes: here.length * 100 * KIB,
    freeBytes: disk.freeBytes ?? 1e9,
    nowMs: 10_000,
    has: among(here),
    isPinned: among(pinned),
    isInUse: among(used),
    mayAsk: (id) => !among(refused)(id),
    isAwaited: (root) => root === awaited,
  };
  return new Survey(situation);
}

/** Used n ms ago. */
const held = (n: number, agoMs: number): HeldBlock => ({
  id: block(n),
  sizeBytes: 100 * KIB,
  lastUseMs: 10_000 - agoMs,
});

t.test('what is owned is fetched when it is not here, and pinned when it is', async (t) => {
  const survey = surveyOf({ owned: [1, 2, 3], here: [2, 3, 4], pinned: [3] });
  survey.living(volume(V, 1, 2, 3, 4, 5, 1));
  survey.living(volume(W, 1, 2));
  const { fetch, pin } = survey.plan();
  t.same(
    fetch,
    [{ id: block(1), root: V, sizeBytes: 100 * KIB, isAwaited: false }],
    'once, wherever it stands',
  );
  t.same(pin, [block(2)]);
});

t.test('a batch is what can be fetched in ten seconds, and no more than there is room for', async (t) => {
  const numbers = Array.from({ length: 30 }, (_, i) => i);
  const plan = (disk: Here) => {
    const survey = surveyOf({ owned: numbers, ...disk });
    survey.living(volume(V, ...numbers));
    return survey.plan().fetch.length;
  };
  t.equal(plan({}), 10);
  t.equal(plan({ awaited: V }), 30, 'all of what somebody waits for');
  t.equal(plan({ maxBytes: 450 * KIB }), 4);
  t.equal(plan({ freeBytes: 350 * KIB }), 2, 'the rest stays free');
  t.equal(plan({ freeBytes: 0 }), 0);
});

t.test(
  'idle blocks that are neither owned nor used are to be dropped, with all volumes that name them',
  async (t) => {
    const survey = surveyOf({ owned: [1], here: [1, 2, 3, 4, 5, 6], used: [2], refused: [3] });
    for (const n of [1, 2, 3, 4, 6]) survey.held(held(n, 2000));
    survey.held(held(5, 500));
    survey.living(volume(V, 1, 2, 3, 4, 4, 5));
    survey.living(volume(W, 4));
    t.same(survey.plan().ask, [{ id: block(4), roots: [V, W] }]);
  },
);

t.test('when space is short the least recently used go first, and only as many as needed', async (t) => {
  const survey = surveyOf({ owned: [9], here: [1, 2, 3, 4], maxBytes: 300 * KIB });
  for (const [n, agoMs] of [
    [1, 10],
    [2, 40],
    [3, 30],
    [4, 20],
  ] as const)
    survey.held(held(n, agoMs));
  survey.living(volume(V, 1, 2, 3, 4, 9));
  const { ask, fetch } = survey.plan();
  t.same(
    ask.map(({ id }) => id),
    [block(2), block(3)],
    'one over the limit, and one to be fetched',
  );
  t.same(fetch, []);
});

t.test(
  'a block of a removed volume goes without pins, owned or not, unless a living one names it or it is used',
  async (t) => {
    const survey = surveyOf({ owned: [1], here: [1, 2, 3, 4], used: [4] });
    for (const n of [2, 3, 4]) survey.held(held(n, 5000));
    survey.removed(volume(V, 1, 2, 3, 4, 5));
    survey.living(volume(W, 3));
    const { removed, ask } = survey.plan();
    t.same(removed, [block(1), block(2)]);
    t.same(ask, [{ id: block(3), roots: [W] }]);
  },
);

t.test('a block that more volumes name than a question can is left alone', async (t) => {
  const survey = surveyOf({ here: [1] });
  survey.held(held(1, 5000));
  for (let i = 0; i < 257; i++) survey.living(volume(i.toString(16).padStart(64, '0'), 1));
  t.same(survey.plan().ask, []);
});

t.test('of very many candidates the oldest are kept', async (t) => {
  const survey = surveyOf({});
  const numbers = Array.from({ length: 5000 }, (_, i) => i);
  for (const n of numbers) survey.held(held(n, 2000 + ((n * 7919) % 5000)));
  survey.living(volume(V, ...numbers));
  const { ask } = survey.plan();
  t.equal(ask.length, 1024);
  const newest = Math.min(...ask.map(({ id }) => (numbers.find((n) => block(n) === id)! * 7919) % 5000));
  t.equal(newest, 5000 - 1024);
});

t.test(
  'owners are asked together for what concerns the same volumes, in messages of bounded size',
  async (t) => {
    const attempts = new Attempts();
    const begin = (n: number, ...roots: string[]) => attempts.begin(block(n), roots, 0)!;
    const first = Array.from({ length: MAX_PIN_IDS + 1 }, (_, n) => begin(n, V));
    const other = begin(1000, V, W);
    const asks = asksFor([...first, other], (shard) => (shard % 2 === 0 ? ['x', 'y'] : ['x', 'z']));
    const shape = asks.map(({ owner, request }) => `${owner} ${request.roots.length} ${request.ids.length}`);
    t.same(shape.sort(), ['x 1 1', 'x 1 256', 'x 2 1', 'y 1 129', 'y 2 1', 'z 1 128']);
    for (const { request, candidates } of asks)
      t.same(
        request.ids,
        candidates.map(({ id }) => id),
      );
  },
);
