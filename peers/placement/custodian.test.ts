import t from 'tap';
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import { Custodian } from './custodian.ts';
import type { VolumeBlocks } from './custody.ts';
import { BadPinMessageError, type PinAnswer } from './messages.ts';
import { Owners } from './owners.ts';
import { memoryPinStore } from './pin-store.twin.ts';
import { shardOf } from './shards.ts';

const PAGE = 4096;
const [V, W] = ['1'.repeat(64), '2'.repeat(64)] as [string, string];
const block = (n: number) => (n * 997).toString(16).padStart(4, '0').padEnd(64, 'e');

/** A clock that is moved by hand; chance is always 0. */
function handClock() {
  const timers = new Set<{ atMs: number; run: () => void }>();
  let nowMs = 0;
  const clock: Clock = {
    now: () => nowMs,
    wall: () => nowMs,
    random: () => 0,
    soon: (run) => void clock.after(0, run),
    after(ms, run) {
      const timer = { atMs: nowMs + ms, run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
  };
  async function pass(ms: number): Promise<void> {
    const endMs = nowMs + ms;
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      const [next] = [...timers].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      timers.delete(next);
      nowMs = Math.max(nowMs, next.atMs);
      next.run();
    }
    nowMs = endMs;
  }
  return { clock, pass };
}

const members = (...names: string[]) => names.map((name) => ({ name, capacityBytes: 1e9 }));

/** A node `me` of the members me, x and y that knows volume V of blocks 1 to 20. */
async function setUp(t: { teardown(fn: () => void): void }, fetchBytesPerSecond = 1e6) {
  const { clock, pass } = handClock();
  const volumes = new Map<string, VolumeBlocks>();
  const state = {
    owners: Owners.of(members('me', 'x', 'y'), 1),
    version: 0,
    used: new Set<string>(),
    fetched: [] as string[],
    asked: [] as string[],
    answer: async (_owner: string, ids: readonly string[]): Promise<PinAnswer[]> => ids.map(() => 'kept'),
    fetch: async (_id: string, _signal: AbortSignal) => {},
    unreadable: false,
    isAwaited: false,
  };
  const blocks = new Set<string>();
  const know = (root: string, ...numbers: number[]) => {
    volumes.set(root, {
      root,
      blockCount: numbers.length,
      blockId: (i) => block(numbers[i]!),
      offset: (i) => i * PAGE,
    });
    state.version++;
  };
  know(V, ...Array.from({ length: 20 }, (_, i) => i + 1));
  const log = { debug() {}, info() {}, warn() {}, error: (detail: object) => errors.push(detail) } as Log;
  const errors: object[] = [];
  const custodian = new Custodian({
    self: 'me',
    clock,
    blocks: {
      has: (id) => blocks.has(id),
      remove: async (id) => void blocks.delete(id),
      sync: async () => {},
    },
    pins: memoryPinStore(),
    owners: () => state.owners,
    volumes: {
      get version() {
        return state.version;
      },
      isLiving: (root) => volumes.has(root),
      isAwaited: () => state.isAwaited,
      living: () => volumes.keys(),
      removed: () => [],
      blocks: async (root) => (state.unreadable ? undefined : volumes.get(root)),
    },
    holdings: {
      *held() {
        for (const id of blocks) yield { id, sizeBytes: PAGE, lastUseMs: 0 };
      },
      usedBytes: () => blocks.size * PAGE,
      freeBytes: () => 1e9,
      isInUse: (id) => state.used.has(id),
    },
    others: {
      async ask(owner, { roots, ids }) {
        state.asked.push(...ids.map((id) => `${owner} ${roots.length} ${id}`));
        return state.answer(owner, ids);
      },
      async fetch(id, _root, signal) {
        await state.fetch(id, signal);
        state.fetched.push(id);
        blocks.add(id);
      },
    },
    limits: () => ({ maxBytes: 1e9, minFreeBytes: 0, idleMs: 1000, fetchBytesPerSecond }),
    log,
  });
  t.teardown(() => custodian.stop());
  const all = Array.from({ length: 20 }, (_, i) => block(i + 1));
  const mine = () => all.filter((id) => state.owners.of(shardOf(id)).includes('me')).sort();
  await custodian.start();
  return { custodian, state, blocks, pass, know, all, mine, errors };
}

t.test(
  'a node fetches what it owns, once the members have not changed for a while, and pins it',
  async (t) => {
    const { custodian, state, pass, mine } = await setUp(t);
    t.ok(mine().length > 2 && mine().length < 15);
    await pass(15_000);
    t.same(state.fetched, []);
    await pass(60_000);
    t.same(state.fetched.sort(), mine());
    const { pinned, fetched, fetchedBytes } = custodian.totals();
    t.same([pinned, fetched, fetchedBytes], [mine().length, mine().length, mine().length * PAGE]);
    t.same(
      await custodian.answer({ roots: [V], ids: mine() }),
      mine().map(() => 'kept'),
    );
  },
);

t.test('a block that cannot be had does not hold up the others, and is tried again', async (t) => {
  const { state, pass, mine } = await setUp(t);
  const [rare] = mine();
  let tries = 0;
  state.fetch = async (id) => {
    if (id === rare && ++tries < 4) throw new Error('nobody has it');
  };
  await pass(600_000);
  t.same(state.fetched.sort(), mine());
  t.equal(tries, 4);
});

t.test(
  'blocks that nobody has hold up nothing, and are given up and asked for ever more rarely',
  async (t) => {
    const { custodian, state, pass, know } = await setUp(t);
    state.owners = Owners.of(members('me'), 1);
    custodian.membersChanged();
    const [lost, there] = [Array.from({ length: 40 }, (_, i) => 100 + i), [200, 201]];
    know(V, ...lost);
    know(W, ...there);
    const tries: string[] = [];
    state.fetch = async (id, signal) => {
      if (there.some((n) => block(n) === id)) return;
      tries.push(id);
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    };
    await pass(28_000);
    state.fetched.length = 0;
    await pass(120_000);
    t.same(state.fetched.sort(), there.map(block).sort(), 'though each of the others is waited for a minute');
    tries.length = 0;
    await pass(2 * 3_600_000);
    const times = tries.filter((id) => id === block(100)).length;
    t.ok(times >= 5 && times <= 15, `${times} times in two hours`);
  },
);

t.test('members that come may have what nobody had: it is asked for again at once', async (t) => {
  const { custodian, state, pass, mine } = await setUp(t);
  let isThere = false;
  state.fetch = async () => {
    if (!isThere) throw new Error('nobody has it');
  };
  await pass(3_600_000);
  isThere = true;
  state.owners = Owners.of([...members('me', 'x', 'y'), { name: 'z', capacityBytes: 1 }], 1);
  custodian.membersChanged();
  await pass(60_000);
  t.same(state.fetched.sort(), mine());
});

t.test('what is not owned goes when its owner keeps it, unless it is in use', async (t) => {
  const { state, blocks, pass, all, mine } = await setUp(t);
  for (const id of all) blocks.add(id);
  const other = all.filter((id) => !mine().includes(id));
  state.used.add(other[0]!);
  await pass(30_000);
  t.same([...blocks].sort(), [...mine(), other[0]].sort());
  state.used.clear();
  await pass(120_000);
  t.same([...blocks].sort(), mine());
  t.equal(state.asked.length, other.length, 'each was asked for once');
  await pass(3_600_000);
  t.equal(state.asked.length, other.length, 'and then nothing is sent any more');
});

t.test('an owner that refuses or is silent is asked ever more rarely, and nothing is dropped', async (t) => {
  for (const answer of ['absent', 'silent', 'nonsense']) {
    const { state, blocks, pass, all } = await setUp(t);
    for (const id of all) blocks.add(id);
    state.answer = async (_owner, ids) => {
      if (answer === 'silent') throw new Error('no answer');
      return answer === 'nonsense' ? [] : ids.map(() => 'absent');
    };
    await pass(3_600_000);
    t.equal(blocks.size, all.length, answer);
    const most = Math.max(...all.map((id) => state.asked.filter((line) => line.endsWith(id)).length));
    t.ok(most >= 5 && most <= 40, `${answer}: ${most} times in an hour`);
  }
});

t.test(
  'a volume that becomes known while owners are asked calls everything off, and is asked for the next time',
  async (t) => {
    const { custodian, state, blocks, pass, know, all, mine } = await setUp(t);
    for (const id of all) blocks.add(id);
    state.answer = async (_owner, ids) => {
      know(W, ...Array.from({ length: 20 }, (_, i) => i + 1));
      state.answer = async (_, more) => more.map(() => 'kept');
      return ids.map(() => 'kept');
    };
    await pass(6000);
    t.equal(blocks.size, all.length);
    custodian.changed();
    await pass(120_000);
    t.equal(blocks.size, mine().length);
    t.ok(
      state.asked.slice(-3).every((line) => line.includes(' 2 ')),
      'for both volumes',
    );
  },
);

t.test(
  'while owners are asked the block is promised to nobody, and not dropped when it is owned by then',
  async (t) => {
    const { custodian, state, blocks, pass, all, mine } = await setUp(t);
    for (const id of all) blocks.add(id);
    const [id] = all.filter((one) => !mine().includes(one));
    let answer: PinAnswer[] = [];
    state.answer = async (_owner, ids) => {
      state.owners = Owners.of(members('me'), 1);
      custodian.membersChanged();
      answer = await custodian.answer({ roots: [V], ids: [id!] });
      return ids.map(() => 'kept');
    };
    await pass(10_000);
    t.same(answer, ['dropping']);
    t.equal(blocks.size, all.length);
    t.same(await custodian.answer({ roots: [V], ids: [id!] }), ['kept']);
  },
);

t.test(
  'nothing is dropped when the index of a known volume cannot be read, or where owners are too few',
  async (t) => {
    const { custodian, state, blocks, pass, all } = await setUp(t);
    for (const id of all) blocks.add(id);
    state.unreadable = true;
    await pass(300_000);
    t.equal(blocks.size, all.length);
    state.unreadable = false;
    state.owners = Owners.of(members('x'), 2);
    custodian.membersChanged();
    await pass(300_000);
    t.equal(blocks.size, all.length);
    t.same(state.asked, []);
  },
);

t.test('pins are refused for volumes that are not known, and bad questions altogether', async (t) => {
  const { custodian, blocks, mine } = await setUp(t);
  const [id] = mine() as [string];
  blocks.add(id);
  t.same(await custodian.answer({ roots: [V, W], ids: [id] }), ['unknown volume']);
  t.same(await custodian.answer({ roots: [V], ids: [id] }), ['kept']);
  await t.rejects(custodian.answer({ roots: [], ids: [id] }), BadPinMessageError);
});

t.test('a lost block is fetched again', async (t) => {
  const { custodian, state, blocks, pass, mine } = await setUp(t);
  await pass(60_000);
  const [id] = mine() as [string];
  blocks.delete(id);
  await custodian.lost(id);
  state.fetched.length = 0;
  await pass(60_000);
  t.same(state.fetched, [id]);
  t.same(await custodian.answer({ roots: [V], ids: [id] }), ['kept']);
});

t.test('fetching keeps to its rate', async (t) => {
  const { state, pass, mine } = await setUp(t, PAGE);
  await pass(21_000);
  const started = state.fetched.length;
  await pass(3000);
  t.equal(state.fetched.length, started + 3);
  await pass(60_000);
  t.same(state.fetched.sort(), mine());
});

t.test('what somebody waits for is fetched at no bounded rate', async (t) => {
  const { state, pass, mine } = await setUp(t, PAGE);
  state.isAwaited = true;
  await pass(15_000);
  await pass(17_000);
  t.same(state.fetched.sort(), mine());
});

t.test('a full disk ends the batch, and later it is tried again', async (t) => {
  const { state, pass, mine } = await setUp(t, PAGE);
  let tries = 0;
  state.fetch = async () => {
    if (++tries <= 2) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
  };
  await pass(29_000);
  t.same([tries, state.fetched], [1, []]);
  await pass(300_000);
  t.same([tries, state.fetched.sort()], [mine().length + 2, mine()]);
});
