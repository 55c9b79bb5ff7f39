import { existsSync, realpathSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Bed, chainOf, layerName, makeBed, refTo, rootOf, unpack } from './bed.twin.ts';

const directoryOf = (bed: Bed, id: number) => join(bed.folder, 'snapshots', String(id));
/** Where a lower path leads now. */
const shown = (bed: Bed, id: number) => realpathSync(join(bed.folder, 'run/l', String(id).padStart(4, '0')));

t.test('a committed layer is ingested, with what is below it', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  await unpack(bed, 2, 1);
  t.match(await bed.layers.asked(2), [
    {
      namespace: 'default',
      chainId: chainOf(1),
      parent: '',
      directory: join(directoryOf(bed, 1), 'fs'),
      lowers: [],
    },
    { chainId: chainOf(2), parent: chainOf(1), lowers: [join(bed.folder, 'run/l/0001')] },
  ]);
});

t.test('what no chainID names is not ingested', async (t) => {
  const bed = await makeBed(t);
  const { snapshotter } = bed;
  for (const name of ['default/1/mine', `default/2/${chainOf(2)}-1000-1000`, chainOf(3)]) {
    await snapshotter.prepare(`key of ${name}`, '', {});
    await snapshotter.commit(name, `key of ${name}`, {});
  }
  await snapshotter.prepare('k', 'default/1/mine', {});
  await snapshotter.commit(layerName(4), 'k', refTo(4));
  t.same(bed.layers.pending, [], 'also not on a parent that is none');
});

t.test('once ingested, a layer nobody has mounted is only the volume', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  await bed.layers.finishIngest(rootOf(1));
  await bed.snapshotter.settled();
  t.equal(shown(bed, 1), realpathSync(join(bed.folder, 'run/m', rootOf(1))));
  t.notOk(existsSync(directoryOf(bed, 1)));
  bed.snapshotter.checkInvariants();
});

t.test('the directory stays for who may have mounted it, and goes with the last of them', async (t) => {
  const bed = await makeBed(t);
  const { snapshotter } = bed;
  await unpack(bed, 1);
  await snapshotter.prepare('container', layerName(1), {});
  await snapshotter.view('view', layerName(1), {});
  await bed.layers.finishIngest(rootOf(1));
  await snapshotter.prepare('later', layerName(1), {});
  await snapshotter.settled();
  t.equal(shown(bed, 1), realpathSync(join(bed.folder, 'run/m', rootOf(1))), 'new mounts see the volume');
  t.ok(existsSync(directoryOf(bed, 1)));
  await bed.restart();
  await bed.snapshotter.settled();
  t.ok(existsSync(directoryOf(bed, 1)), 'a restart of the node process ends no mounts');
  await bed.snapshotter.remove('container');
  await bed.snapshotter.settled();
  t.ok(existsSync(directoryOf(bed, 1)));
  await bed.snapshotter.remove('view');
  await bed.snapshotter.settled();
  t.notOk(existsSync(directoryOf(bed, 1)), 'the later snapshot does not need it');
  bed.snapshotter.checkInvariants();
});

t.test('after a reboot nobody has the directory mounted any more', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  await bed.snapshotter.prepare('container', layerName(1), {});
  await bed.layers.finishIngest(rootOf(1));
  await bed.restart('reboot');
  await bed.snapshotter.settled();
  t.notOk(existsSync(directoryOf(bed, 1)));
  t.notOk(bed.layers.mounted.has(rootOf(1)), 'mounted when it is asked for');
  await bed.snapshotter.mounts('container');
  t.equal(shown(bed, 1), realpathSync(join(bed.folder, 'run/m', rootOf(1))));
});

t.test('a layer is not taken from under the ingest of the next', async (t) => {
  const bed = await makeBed(t, { unmountAfterMs: 0 });
  await unpack(bed, 1);
  await unpack(bed, 2, 1);
  await bed.layers.finishIngest(rootOf(1));
  await settle(bed);
  t.ok(existsSync(directoryOf(bed, 1)));
  t.ok(bed.layers.mounted.has(rootOf(1)));
  await bed.layers.failIngest();
  await settle(bed);
  t.notOk(existsSync(directoryOf(bed, 1)));
  t.notOk(bed.layers.mounted.has(rootOf(1)));
  t.ok(existsSync(directoryOf(bed, 2)), 'a layer whose ingest failed stays a directory');
});

t.test('an unfinished ingest is asked for again after a restart, lowest layer first', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  await unpack(bed, 2, 1);
  await unpack(bed, 3, 2);
  await bed.layers.finishIngest(rootOf(1));
  await bed.restart('reboot');
  t.same(
    (await bed.layers.asked(2)).map(({ chainId }) => chainId),
    [chainOf(2), chainOf(3)],
  );
  t.ok(bed.layers.mounted.has(rootOf(1)), 'what they read is mounted');
});

t.test('a crash between link and record leaves a layer in its directory', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  const link = join(bed.folder, 'run/l/0001');
  unlinkSync(link);
  symlinkSync(join(bed.folder, 'run/m', rootOf(1)), link);
  await bed.restart();
  t.equal(shown(bed, 1), realpathSync(join(directoryOf(bed, 1), 'fs')));
});

t.test('a layer that was removed while it was ingested: its volume is released', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  await bed.snapshotter.remove(layerName(1));
  await bed.layers.finishIngest(rootOf(1));
  await bed.snapshotter.settled();
  t.same(bed.layers.released, [chainOf(1), chainOf(1)]);
  bed.snapshotter.checkInvariants();
});

t.test('a volume that nothing needs is unmounted', async (t) => {
  const bed = await makeBed(t, { unmountAfterMs: 0 });
  await unpack(bed, 1);
  await bed.snapshotter.prepare('container', layerName(1), {});
  await bed.layers.finishIngest(rootOf(1));
  await settle(bed);
  t.ok(bed.layers.mounted.has(rootOf(1)));
  t.same([...bed.layers.active], [rootOf(1)]);
  await bed.snapshotter.remove('container');
  await settle(bed);
  t.notOk(bed.layers.mounted.has(rootOf(1)));
  t.same([...bed.layers.active], []);
});

t.test('a volume that could not be unmounted is unmounted after the next change', async (t) => {
  const bed = await makeBed(t, { unmountAfterMs: 0 });
  await unpack(bed, 1);
  bed.layers.before = async (call) => {
    if (call === 'unmount') throw new Error('busy');
  };
  await bed.layers.finishIngest(rootOf(1));
  await settle(bed);
  t.ok(bed.layers.mounted.has(rootOf(1)));
  bed.layers.before = async () => {};
  await unpack(bed, 2);
  await settle(bed);
  t.notOk(bed.layers.mounted.has(rootOf(1)));
});

/** Also the delayed unmounting, where the delay is none. */
async function settle({ snapshotter }: Bed): Promise<void> {
  await snapshotter.settled();
  await new Promise((resolve) => setTimeout(resolve, 20));
  await snapshotter.settled();
}
