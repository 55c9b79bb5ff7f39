import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import type { LayerRecord } from '../blocks/types.ts';
import type { CommittedLayer } from '../snapshotter/types.ts';
import { createGate } from './gate.ts';
import { createIngester, type HeldBlob, type MakeVolume } from './ingester.ts';
import { digest, memoryRecords, memoryVolumes, pageVolume, silent } from './twins.ts';

const ROOT = pageVolume([1]).root;

function layer(hexDigit: string): CommittedLayer {
  return { namespace: 'default', chainId: digest(hexDigit), parent: '', directory: '/d', lowers: [] };
}

function setUp(makeVolume?: MakeVolume) {
  const records = memoryRecords();
  const events: string[] = [];
  const held: HeldBlob = {
    diffId: digest('d'),
    read: async function* () {},
    release: async () => {
      events.push('released');
    },
  };
  const ingester = createIngester({
    blobs: {
      hold: async ({ chainId }) => {
        events.push(`hold ${chainId.at(-1)}`);
        return held;
      },
      releaseLeftovers: async (namespaces) => {
        events.push(`leftovers in ${[...namespaces]}`);
      },
    },
    makeVolume: async (...args) => {
      events.push(`make ${args[0].chainId.at(-1)}`);
      if (makeVolume) return await makeVolume(...args);
      return { root: ROOT, format: 'test-1', origin: 'ingested', diffId: digest('d') } as never; // sizes are for the log
    },
    records,
    volumes: memoryVolumes(),
    gate: createGate(),
    logger: silent,
    onIngested: () => {},
    quietMs: 20,
  });
  return { ingester, events, records };
}

t.test("a layer's blob is held at once, the work waits until the pull is quiet", async (t) => {
  const { ingester, events, records } = setUp();
  const done = new Promise<LayerRecord | undefined>((resolve) =>
    ingester.add(layer('a'), async (record) => resolve(record)),
  );
  t.same(events, ['hold a']);
  t.match(ingester.stats(), { done: 0 });
  const record = await done;
  t.match(record, { chainId: digest('a'), root: ROOT, origin: 'ingested' });
  t.same(records.get(digest('a')), record);
  await sleep(1);
  t.same(events, ['hold a', 'make a', 'released', 'leftovers in default']);
  t.same(ingester.stats(), { queued: 0, running: 0, done: 1, failed: 0 });
});

t.test(
  'the work waits while the pull goes on with its next layer, however long that one takes',
  async (t) => {
    const { ingester, events } = setUp();
    const both = ['a', 'b'].map((hexDigit) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      return { promise, add: () => ingester.add(layer(hexDigit), async () => resolve()) };
    });
    ingester.expect(digest('a'));
    both[0]!.add();
    ingester.expect(digest('b'));
    await sleep(200);
    t.same(events, ['hold a']);
    both[1]!.add();
    await Promise.all(both.map(({ promise }) => promise));
    t.same(events.slice(0, 3), ['hold a', 'hold b', 'make a']);
  },
);

t.test('a layer that fails leaves no record, frees its blob, and lets the next one go on', async (t) => {
  const { ingester, events, records } = setUp(async ({ chainId }) => {
    if (chainId === digest('a')) throw new Error('the blob is not what its diffID says');
    return { root: ROOT, format: 'test-1', origin: 'ingested', diffId: digest('d') } as never; // as above
  });
  ingester.add(layer('a'), async (record) => void t.equal(record, undefined, 'told that there is no volume'));
  await new Promise<void>((resolve) => ingester.add(layer('b'), async () => resolve()));
  await sleep(1);
  t.equal(records.get(digest('a')), undefined);
  t.ok(records.get(digest('b')));
  const expected = ['hold a', 'hold b', 'make a', 'released', 'make b', 'released', 'leftovers in default'];
  t.same(events, expected);
});

t.test('stopping ends what waits, and leaves its blobs held for the next start', async (t) => {
  const { ingester, events } = setUp();
  ingester.add(layer('a'), async () => void t.fail('not done'));
  await ingester.stop();
  t.same(events, ['hold a']);
});
