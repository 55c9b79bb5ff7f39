import t from 'tap';
import { memoryPinStore } from './pin-store.twin.ts';
import { Pins } from './pins.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];
const VIEW = { self: 'me', owners: ['x', 'y'], replicas: 2, nowMs: 0 };
const always = () => true;

/** A ledger over these blocks, all of them owned, and a log of effects in their order. */
async function setUp(...here: string[]) {
  const effects: string[] = [];
  const blocks = new Set(here);
  const owned = new Set(here);
  const memory = memoryPinStore();
  let gate: Promise<void> = Promise.resolve();
  const store = {
    ...memory,
    async add(ids: readonly string[]) {
      await gate;
      await memory.add(ids);
      effects.push(`pin ${ids.map((id) => id[0]).join('')}`);
    },
    async remove(ids: readonly string[]) {
      await memory.remove(ids);
      effects.push(`unpin ${ids.map((id) => id[0]).join('')}`);
    },
  };
  const pins = new Pins({
    store,
    blocks: {
      has: (id) => blocks.has(id),
      async remove(id) {
        effects.push(`remove ${id[0]}`);
        blocks.delete(id);
      },
      async sync() {
        effects.push('sync');
      },
    },
    isOwner: (id) => owned.has(id),
  });
  await pins.start();
  effects.length = 0;
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { pins, store, blocks, owned, effects, hold };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('a pin is given for a block that is here and owned: synced, then pinned, then answered', async (t) => {
  const { pins, owned, effects } = await setUp(A, B);
  owned.delete(B);
  t.same(await pins.give([A, B, C]), ['kept', 'not owner', 'absent']);
  t.same(effects, ['sync', 'pin a']);
  t.same([pins.has(A), pins.has(B), pins.count()], [true, false, 1]);
  t.same(await pins.give([A]), ['kept']);
  t.equal(effects.length, 2, 'given already: nothing is written');
});

t.test('a pin that is not durable yet is not answered, to whomever asks', async (t) => {
  const { pins, hold } = await setUp(A);
  const release = hold();
  const answers: string[] = [];
  const ask = () => void pins.give([A]).then(([answer]) => answers.push(answer!));
  ask();
  await turn();
  ask();
  await turn();
  t.same(answers, []);
  release();
  await turn();
  t.same(answers, ['kept', 'kept']);
});

t.test(
  'no pin is given while an attempt to drop the block is open, also a pin that was given before',
  async (t) => {
    const { pins } = await setUp(A, B);
    await pins.give([B]);
    const attempts = [A, B].map((id) => pins.begin(id, [], 0)!);
    t.same(await pins.give([A, B]), ['dropping', 'dropping']);
    t.equal(pins.begin(A, [], 0), undefined, 'one attempt at a time');
    for (const attempt of attempts) pins.end(attempt);
    t.same(await pins.give([A, B]), ['kept', 'kept']);
  },
);

t.test(
  'a block may be dropped when enough owners, none of them this node, have all pinned it in this attempt',
  async (t) => {
    const { pins } = await setUp(A);
    const attempt = pins.begin(A, [], 0)!;
    pins.confirm(attempt, 'x');
    t.notOk(pins.mayDrop(attempt, VIEW), 'one of two');
    pins.confirm(attempt, 'y');
    t.ok(pins.mayDrop(attempt, VIEW));
    t.notOk(pins.mayDrop(attempt, { ...VIEW, owners: ['x', 'z'] }), 'another owner now');
    t.notOk(pins.mayDrop(attempt, { ...VIEW, owners: ['x', 'me'] }), 'an owner itself now');
    t.notOk(pins.mayDrop(attempt, { ...VIEW, replicas: 3 }), 'fewer owners than replicas');
    t.notOk(pins.mayDrop(attempt, { ...VIEW, nowMs: 60_001 }), 'pins of long ago');
    pins.end(attempt);
    const next = pins.begin(A, [], 0)!;
    pins.confirm(attempt, 'x');
    pins.confirm(attempt, 'y');
    t.notOk(pins.mayDrop(next, VIEW), 'pins for an attempt that is over');
    t.notOk(pins.mayDrop(attempt, VIEW));
  },
);

t.test('dropping takes the pin away before the block, and asks once more before each', async (t) => {
  const { pins, blocks, effects } = await setUp(A, B);
  await pins.give([A, B]);
  effects.length = 0;
  t.same(await pins.drop([A, B], (id) => id === A), [A]);
  t.same(effects, ['unpin ab', 'remove a']);
  t.same([...blocks], [B]);
  t.same(await pins.give([A, B]), ['absent', 'kept']);
});

t.test(
  'a block that is dropped while its pin is being given is not promised, and leaves no pin',
  async (t) => {
    const { pins, hold } = await setUp(A);
    const release = hold();
    const given = pins.give([A]);
    await turn();
    const dropped = pins.drop([A], always);
    t.ok(pins.isDropping(A));
    release();
    t.same(await given, ['absent']);
    t.same(await dropped, [A]);
    t.notOk(pins.has(A));
    t.notOk(pins.isDropping(A));
  },
);

t.test('a lost block is not promised, and its pin goes before the block may be pinned again', async (t) => {
  const { pins, blocks, effects } = await setUp(A);
  await pins.give([A]);
  blocks.delete(A);
  const lost = pins.lost(A);
  blocks.add(A);
  t.same(await pins.give([A]), ['absent'], 'fetched again at once, and not synced');
  await lost;
  effects.length = 0;
  t.same(await pins.give([A]), ['kept']);
  t.same(effects, ['sync', 'pin a']);
});

t.test(
  'at the start pins without their blocks are taken back, and before it nothing is promised',
  async (t) => {
    const { store, blocks } = await setUp(A);
    await store.add([A, B]);
    const pins = new Pins({
      store,
      blocks: { has: (id) => blocks.has(id), remove: async () => {}, sync: async () => {} },
      isOwner: always,
    });
    t.same(await pins.give([A]), ['absent']);
    await pins.start();
    t.same([pins.has(A), pins.has(B)], [true, false]);
    t.same(await pins.give([A]), ['kept']);
  },
);
