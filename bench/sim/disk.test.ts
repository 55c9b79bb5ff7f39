import t from 'tap';
import { pinStoreConformance } from '../../peers/placement/pin-store.conformance.ts';
import { blockBytes, type DiskHooks, SimBlockStore, SimPinStore } from './disk.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)] as [string, string];

function setUp() {
  const told: string[] = [];
  const waiting: (() => void)[] = [];
  const hooks: DiskHooks = {
    onPut: (id) => told.push(`put ${id[0]}`),
    onRemove: (id, why) => told.push(`${why} ${id[0]}`),
    onPin: (id) => told.push(`pin ${id[0]}`),
    onUnpin: (id) => told.push(`unpin ${id[0]}`),
    onWrong: (id) => told.push(`wrong ${id[0]}`),
  };
  const time = {
    written: () => new Promise<void>((resolve) => waiting.push(resolve)),
    writeBack() {},
    wall: () => 0,
  };
  const write = async () => {
    for (const resolve of waiting.splice(0)) resolve();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { blocks: new SimBlockStore(hooks, time), pins: new SimPinStore(hooks, time), told, write };
}

t.test('the pins of the simulator', async (t) => {
  pinStoreConformance(t, async () => {
    const time = { written: async () => {}, writeBack() {}, wall: () => 0 };
    const store = new SimPinStore({ onPin() {}, onUnpin() {} }, time);
    const reopen = async () => {
      store.powerLost();
      return store;
    };
    return { store, reopen };
  });
});

t.test('a loss of power takes blocks and pins that were not written, and nobody hears of them', async (t) => {
  const { blocks, pins, told, write } = setUp();
  await blocks.put(A, blockBytes(A, 4096));
  void blocks.sync();
  void pins.add([A]);
  await write();
  await blocks.put(B, blockBytes(B, 4096));
  let isHeard = false;
  void blocks.sync().then(() => {
    isHeard = true;
  });
  void pins.remove([A]);
  blocks.powerLost();
  pins.powerLost();
  await write();
  t.same([blocks.has(A), blocks.has(B), pins.has(A), isHeard], [true, false, true, false]);
  t.same(told.sort(), ['pin a', 'put a']);
  t.equal(blocks.bytes, 4096);
});

t.test('a full disk and a wrong block are refused', async (t) => {
  const { blocks, told } = setUp();
  blocks.capacityBytes = 5000;
  await blocks.put(A, blockBytes(A, 4096));
  await t.rejects(blocks.put(B, blockBytes(B, 4096)), { code: 'ENOSPC' });
  await t.rejects(blocks.put(B, blockBytes('something else', 100)), { name: 'CorruptBlockError' });
  blocks.checks = false;
  await blocks.put(B, blockBytes('something else', 100));
  t.same(told, ['wrong b']);
});
