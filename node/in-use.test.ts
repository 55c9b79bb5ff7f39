/** What must stay on a node: metadata of what can be mounted, all of what runs, and everything while that is not known. */
import t from 'tap';
import type { Root } from '../blocks/types.ts';
import { createGate } from './gate.ts';
import { createInUse } from './in-use.ts';
import { watched } from './records.ts';
import { digest, layerRecord, memoryRecords, memoryVolumes, pageBlock, pageVolume, silent } from './twins.ts';

async function setUp() {
  const gate = createGate();
  const volumes = memoryVolumes();
  let running: ReadonlySet<Root> = new Set();
  let told: () => void = () => {};
  const records = watched(memoryRecords(), {
    written: () => inUse.changed(),
    removed: () => inUse.changed(),
  });
  const parts = {
    records,
    volumes,
    gate,
    whole: () => running,
    onChange: () => told(),
    logger: silent,
    gatherMs: 0,
  };
  const inUse = createInUse(parts);
  const settled = async () => {
    while (!inUse.isSettled()) await new Promise<void>((resolve) => setImmediate(resolve));
  };
  await settled();
  return {
    gate,
    inUse,
    records,
    settled,
    has: (n: number) => inUse.has(pageBlock(n).id),
    /** As fetching a volume does: all inside the gate. */
    make: (chain: string, numbers: number[]) =>
      gate.shared(async () => {
        const { root, encoded } = pageVolume(numbers);
        await volumes.put(root, encoded);
        await records.put(layerRecord(digest(chain), root));
        return root;
      }),
    run(roots: Root[]) {
      running = new Set(roots);
      inUse.changed();
    },
    onChange(then: () => void) {
      told = then;
    },
  };
}

t.test("a mountable volume's metadata is in use, its data only while a container runs from it", async (t) => {
  const { make, run, has, settled, records } = await setUp();
  const root = await make('a', [1, 2, 3]);
  await settled();
  t.same([1, 2, 3, 9].map(has), [true, false, false, false]);
  run([root]);
  await settled();
  t.same([1, 2, 3, 9].map(has), [true, true, true, false]);
  run([]);
  await records.remove(digest('a'));
  await settled();
  t.same([1, 2, 3, 9].map(has), [false, false, false, false]);
});

t.test(
  'everything is in use while a volume is made, and from then on until its record is taken in',
  async (t) => {
    const { gate, make, has, inUse, settled, onChange } = await setUp();
    const making = Promise.withResolvers<void>();
    const done = gate.shared(() => making.promise);
    t.ok(has(9) && !inUse.isSettled());
    making.resolve();
    await done;
    t.notOk(has(9));
    // A change that comes at just this time does not make it forget the volume that is on its way.
    inUse.changed();
    await make('a', [1, 2]);
    t.ok(has(2), 'not known yet what is in use');
    let changes = 0;
    onChange(() => changes++);
    await settled();
    t.same([1, 2].map(has), [true, false]);
    t.equal(changes, 1, 'custody is told once');
  },
);
