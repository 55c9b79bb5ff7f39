import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { ChainId, LayerRecord } from '../blocks/types.ts';
import { createAnnouncer } from './announcer.ts';
import { writableLayers } from './checkpoints/writable.ts';
import { digest, layerRecord, memoryRecords, silent } from './twins.ts';

const ROOT = 'a'.repeat(64);
const made = layerRecord(digest('1'), ROOT);
const copy: LayerRecord = { ...layerRecord(digest('2'), ROOT), origin: 'copied' };

function announcing(t: Test) {
  const records = memoryRecords();
  const said: [string, ChainId][] = [];
  const member = {
    announce: async ({ chainId }: LayerRecord) => void said.push(['here', chainId]),
    retract: async ({ chainId }: LayerRecord) => void said.push(['gone', chainId]),
  };
  const announcer = createAnnouncer({ member: () => member, records, copyAfterMs: 50, log: silent });
  t.teardown(() => announcer.stop());
  return { announcer, records, said };
}

t.test('what a node has made is told at once, a copy later', async (t) => {
  const { announcer, records, said } = announcing(t);
  for (const record of [copy, made]) {
    await records.put(record);
    announcer.written(record);
  }
  t.same(said, [['here', made.chainId]]);
  await sleep(150);
  t.same(said, [
    ['here', made.chainId],
    ['here', copy.chainId],
  ]);
});

t.test('a copy that has gone meanwhile is not told', async (t) => {
  const { announcer, records, said } = announcing(t);
  await records.put(copy);
  announcer.written(copy);
  await records.remove(copy.chainId);
  await sleep(150);
  t.same(said, []);
});

t.test('after the stop nothing is told, and no record is read', async (t) => {
  const { announcer, records, said } = announcing(t);
  await records.put(copy);
  announcer.written(copy);
  announcer.stop();
  await sleep(150);
  t.same(said, []);
});

t.test(
  'that a layer of an image has gone from here is no news, that what a container wrote has is',
  async (t) => {
    const { announcer, said } = announcing(t);
    const [written] = writableLayers(copy.chainId, [{ root: ROOT, format: 'test-1' }]);
    announcer.removed(copy);
    announcer.removed(written!);
    t.same(said, [['gone', written!.chainId]]);
  },
);

t.test('a node outside of a cluster tells nobody', async (t) => {
  const announcer = createAnnouncer({
    member: () => undefined,
    records: memoryRecords(),
    copyAfterMs: 0,
    log: silent,
  });
  announcer.written(made);
  announcer.removed(made);
  t.doesNotThrow(() => announcer.stop());
});
