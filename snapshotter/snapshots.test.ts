import { existsSync, readdirSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { chown, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { chainOf, kind, layerName, makeBed, recordOf, refTo, unpack } from './bed.twin.ts';

/** What a mount of a snapshot with one layer shows as its lowerdir. */
function lowersOf(mounts: { options: string[] }[]): string[] {
  const option = mounts[0]!.options.find((text) => text.startsWith('lowerdir='))!;
  return option.slice('lowerdir='.length).split(':');
}

t.test('a layer is prepared, committed and mounted below the next', async (t) => {
  const { snapshotter } = await makeBed(t);
  const [base] = await snapshotter.prepare('a', '', {});
  writeFileSync(join(base!.source, 'file'), 'x');
  await snapshotter.commit('base', 'a', { l: 'v' });
  const mounts = await snapshotter.prepare('b', 'base', {});
  t.ok(existsSync(join(lowersOf(mounts)[0]!, 'file')));
  t.same(await snapshotter.mounts('b'), mounts);
  t.match(await snapshotter.stat('base'), { kind: 'committed', parent: '', labels: { l: 'v' } });
  t.match(await snapshotter.usage('base'), { inodes: 2 });
  await t.rejects(snapshotter.mounts('base'), kind('failed-precondition'));
  await t.rejects(snapshotter.mounts('a'), kind('not-found'));
  snapshotter.checkInvariants();
});

t.test("a snapshot's root belongs to whom its parent's does", async (t) => {
  const { snapshotter } = await makeBed(t);
  const [base] = await snapshotter.prepare('a', '', {});
  await chown(base!.source, 1234, 5678);
  await snapshotter.commit('base', 'a', {});
  const [overlay] = await snapshotter.prepare('b', 'base', {});
  const upper = overlay!.options.find((option) => option.startsWith('upperdir='))!.slice('upperdir='.length);
  t.match(statSync(upper), { uid: 1234, gid: 5678 });
  t.equal(statSync(upper).mode & 0o777, 0o755);
});

t.test('a refused prepare or commit leaves nothing behind', async (t) => {
  const { snapshotter, folder } = await makeBed(t);
  await t.rejects(snapshotter.prepare('a', 'none', {}), kind('not-found'));
  await snapshotter.prepare('a', '', {});
  const twice = [snapshotter.prepare('b', '', {}), snapshotter.prepare('b', '', {})];
  t.same(
    (await Promise.allSettled(twice)).map(({ status }) => status),
    ['fulfilled', 'rejected'],
  );
  await t.rejects(snapshotter.commit('b', 'a', {}), kind('already-exists'));
  t.equal((await snapshotter.stat('a')).kind, 'active');
  await snapshotter.settled();
  t.equal(readdirSync(join(folder, 'snapshots')).length, 2);
  t.same(readdirSync(join(folder, 'trash')), []);
});

t.test('a removed snapshot frees its files at once; one with children stays', async (t) => {
  const { snapshotter, folder } = await makeBed(t);
  await snapshotter.prepare('a', '', {});
  await snapshotter.commit('base', 'a', {});
  await snapshotter.view('v', 'base', {});
  await t.rejects(snapshotter.remove('base'), kind('failed-precondition'));
  await snapshotter.remove('v');
  await snapshotter.remove('base');
  await t.rejects(snapshotter.remove('base'), kind('not-found'));
  await snapshotter.cleanup();
  for (const place of ['snapshots', 'trash', 'run/l']) t.same(readdirSync(join(folder, place)), [], place);
});

t.test('many prepares and commits at once are as good as one after the other', async (t) => {
  const { snapshotter } = await makeBed(t);
  await snapshotter.prepare('p', '', {});
  await snapshotter.commit('base', 'p', {});
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  const mounts = await Promise.all(keys.map((key) => snapshotter.prepare(key, 'base', {})));
  t.equal(new Set(mounts.map((mount) => mount[0]!.options[1])).size, 100, 'each has its own upper');
  await Promise.all(keys.map((key) => snapshotter.commit(`c-${key}`, key, {})));
  const names: string[] = [];
  for await (const { name } of snapshotter.list(['kind==committed'])) names.push(name);
  t.equal(names.length, 101);
  snapshotter.checkInvariants();
});

t.test(
  'after a crash, directories and links without a record are discarded, the rest is as it was',
  async (t) => {
    const bed = await makeBed(t);
    await bed.snapshotter.prepare('a', '', {});
    await bed.snapshotter.commit('base', 'a', {});
    const mounts = await bed.snapshotter.prepare('b', 'base', {});
    await mkdir(join(bed.folder, 'snapshots/77/fs'), { recursive: true });
    await mkdir(join(bed.folder, 'trash/5/deep'), { recursive: true });
    await bed.restart('reboot');
    t.same(await bed.snapshotter.mounts('b'), mounts);
    t.ok(existsSync(realpathSync(lowersOf(mounts)[0]!)), 'links are made again');
    await bed.snapshotter.settled();
    t.same(readdirSync(join(bed.folder, 'snapshots')).toSorted(), ['1', '2']);
    t.same(readdirSync(join(bed.folder, 'trash')), []);
  },
);

t.test('labels are updated, and nothing else', async (t) => {
  const { snapshotter } = await makeBed(t);
  await snapshotter.prepare('a', '', { one: '1', two: '2' });
  const before = await snapshotter.stat('a');
  const after = await snapshotter.update({ name: 'a', labels: { one: 'x' } }, ['labels.one', 'labels.two']);
  t.match(after, { name: 'a', labels: { one: 'x' }, createdAtMs: before.createdAtMs });
  t.ok(after.updatedAtMs > before.updatedAtMs);
  t.same(await snapshotter.stat('a'), after);
  await t.rejects(snapshotter.update({ name: 'none', labels: {} }, []), kind('not-found'));
});

t.test(
  'a volume server that is away: prepare fails, leaves nothing, and works when it is back',
  async (t) => {
    const bed = await makeBed(t);
    bed.layers.known.set(chainOf(1), recordOf(1, undefined));
    await t.rejects(bed.snapshotter.prepare('default/1/x', '', refTo(1)), kind('already-exists'));
    const parent = (await listed(bed))[0]!;
    bed.layers.before = async (call) => {
      if (call === 'mount') throw new Error('nothing is mounted');
    };
    await t.rejects(bed.snapshotter.prepare('c', parent, {}), kind('unavailable'));
    t.same(await listed(bed), [parent]);
    bed.layers.before = async () => {};
    await t.resolves(bed.snapshotter.prepare('c', parent, {}));
  },
);

t.test(
  'usage: of the directory while there is one, then the bytes of the volume that are here',
  async (t) => {
    const bed = await makeBed(t);
    await unpack(bed, 1);
    const unpacked = await bed.snapshotter.usage(layerName(1));
    t.match(unpacked, { inodes: 1 });
    await bed.layers.finishIngest('r'.repeat(64));
    await bed.snapshotter.settled();
    t.same(await bed.snapshotter.usage(layerName(1)), { inodes: 1, sizeBytes: 4096 });
    await bed.snapshotter.view('v', layerName(1), {});
    t.same(await bed.snapshotter.usage('v'), { inodes: 0, sizeBytes: 0 });
  },
);

async function listed(bed: Awaited<ReturnType<typeof makeBed>>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of bed.snapshotter.list([])) names.push(name);
  return names;
}
