/** Who waits for a far block can be killed, through EROFS and overlayfs too, and nobody else notices. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { blockIdOf } from '../../blocks/block.ts';
import { MNT_DETACH, MS_RDONLY, mount, unmount } from '../../blocks/libc.ts';
import { PAGE_BYTES } from '../../blocks/types.ts';
import { KernelTransport } from './kernel.ts';
import { isKilled } from './killed.ts';
import {
  erofsImage,
  mountFuse,
  type Program,
  scratch,
  start,
  TestFeeder,
  TestLog,
  TestStore,
  until,
} from './testkit.ts';
import { VolumeFiles } from './volume-files.ts';
import { WaitingReads } from './waiting-reads.ts';

/** Programs on the volume: one that reads its standard input, one that does nothing. */
const PROGRAM = realpathSync('/bin/sleep');

async function setUp(t: Test, compressed = false) {
  const dir = scratch(t);
  const tree = join(dir, 'tree');
  mkdirSync(tree);
  // Compressed, it is 16 clusters of 64 KiB, that readers share while they wait.
  const data = compressed ? compressible(256) : randomBytes(64 * PAGE_BYTES);
  writeFileSync(join(tree, 'data'), data);
  copyFileSync(PROGRAM, join(tree, 'program'));
  const store = new TestStore(dir);
  // Blocks of one page, so that single pages of a file can be far.
  const volume = store.add(erofsImage(dir, tree, compressed ? ['-zlz4', '-C65536'] : []), 1);
  const feeder = new TestFeeder(store, false);
  feeder.knows(volume);
  const log = new TestLog();
  const point = join(dir, 'run');
  const files = new VolumeFiles({ ...store, log });
  const transport = new KernelTransport({
    fd: mountFuse(t, point),
    files,
    waiting: new WaitingReads(feeder, 60_000),
    log,
  });
  const served = transport.serve();
  t.teardown(async () => {
    feeder.deliverAll();
    transport.stop();
    await served;
  });
  const [erofs, overlay, empty] = ['erofs', 'overlay', 'empty'].map((name) => join(dir, name));
  for (const folder of [erofs!, overlay!, empty!]) mkdirSync(folder);
  await mount(join(point, volume.root), erofs!, 'erofs', MS_RDONLY, '');
  t.teardown(() => unmount(erofs!, MNT_DETACH));
  await mount('overlay', overlay!, 'overlay', MS_RDONLY, `lowerdir=${empty}:${erofs}`);
  t.teardown(() => unmount(overlay!, MNT_DETACH));

  /** Makes pages of a file far, from `first` on. */
  const away = (bytes: Buffer, first = 0, count = Number.POSITIVE_INFINITY) => {
    for (let page = first; page * PAGE_BYTES < bytes.length && page < first + count; page++) {
      const whole = Buffer.alloc(PAGE_BYTES);
      bytes.copy(whole, 0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
      store.removeBlock(blockIdOf(whole));
    }
  };
  return {
    dir,
    data,
    volume,
    store,
    file: join(point, volume.root),
    erofs: erofs!,
    overlay: overlay!,
    feeder,
    away,
    log,
  };
}

/** Half of it is noise. */
function compressible(pages: number): Buffer {
  const bytes = randomBytes(pages * PAGE_BYTES);
  for (let at = 0; at < bytes.length; at += 64) bytes.fill(0, at, at + 32);
  return bytes;
}

async function killedAtOnce(t: Test, program: Program): Promise<void> {
  program.process.kill('SIGKILL');
  t.equal((await program.ended).signal, 'SIGKILL');
}

for (const way of ['erofs', 'overlay'] as const) {
  t.test(`a reader that waits is killed at once (${way}), another of the same pages gets them`, async (t) => {
    const set = await setUp(t);
    set.away(set.data);
    const path = join(set[way], 'data');
    const [victim, other] = [1, 2].map(() => start(t, 'sha256sum', [path]));
    await until(() => set.feeder.waiting > 0, 'they wait');
    await killedAtOnce(t, victim!);
    const late = start(t, 'cmp', [path, join(set.dir, 'tree', 'data')]);
    set.feeder.open = true;
    set.feeder.deliverAll();
    t.same([(await other!.ended).code, (await late.ended).code], [0, 0], late.output());
    const sum = execFileSync('sha256sum', [join(set.dir, 'tree', 'data')], { encoding: 'utf8' });
    t.equal(other!.output().slice(0, 64), sum.slice(0, 64));
    t.same(set.log.lines, []);
  });

  // Its header is far: execve(2) waits. Its code is far: page faults of a mapped file wait.
  for (const [what, first] of [
    ['is started', 0],
    ['faults its code in', 2],
  ] as const) {
    t.test(`a program that ${what} and waits is killed at once (${way}), another runs`, async (t) => {
      const set = await setUp(t);
      set.away(readFileSync(PROGRAM), first);
      const run = () => start(t, 'sh', ['-c', `exec ${join(set[way], 'program')} 0`]);
      const [victim, other] = [run(), run()];
      await until(() => set.feeder.waiting > 0, 'they wait');
      await new Promise((resolve) => setTimeout(resolve, 50));
      await killedAtOnce(t, victim);
      set.feeder.open = true;
      set.feeder.deliverAll();
      t.same(await other.ended, { code: 0, signal: null });
    });
  }
}

t.test('of many readers of a compressed file half are killed: the others get right data', async (t) => {
  const { dir, volume, store, feeder, erofs } = await setUp(t, true);
  // All but the metadata in the first pages, which the mount has read already.
  for (const { id } of volume.blocks.slice(2)) store.removeBlock(id);
  const copy = join(dir, 'tree', 'data');
  const readers = Array.from({ length: 10 }, () => start(t, 'cmp', [join(erofs, 'data'), copy]));
  await until(() => feeder.waiting > 0, 'they wait');
  for (const [i, reader] of readers.entries()) {
    if (i % 2 === 0) reader.process.kill('SIGKILL');
    feeder.deliverAll();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  feeder.open = true;
  feeder.deliverAll();
  for (const [i, reader] of readers.entries()) {
    const { code, signal } = await reader.ended;
    if (i % 2 === 1) t.same([code, signal], [0, null], reader.output());
  }
});

t.test(
  'a direct read, which the kernel does not let go by itself, ends when its reader is killed',
  async (t) => {
    const { file, feeder, away, data } = await setUp(t);
    away(data);
    const direct = () => start(t, 'dd', [`if=${file}`, 'iflag=direct', 'bs=256k', 'of=/dev/null']);
    const [victim, other] = [direct(), direct()];
    await until(() => feeder.waiting > 0, 'they wait');
    await until(() => readFileSync(`/proc/${victim.process.pid}/wchan`, 'utf8').includes('wait'), 'both');
    await killedAtOnce(t, victim);
    feeder.open = true;
    feeder.deliverAll();
    t.equal((await other.ended).code, 0);
  },
);

t.test('a signal that a reader handles fails no read; killed after it, the reader still ends', async (t) => {
  const { file, feeder, away, data } = await setUp(t);
  away(data);
  // dd reports its progress at SIGUSR1 and goes on.
  const direct = () => start(t, 'dd', [`if=${file}`, 'iflag=direct', 'bs=256k', 'of=/dev/null']);
  const [victim, other] = [direct(), direct()];
  await until(() => feeder.waiting > 0, 'they wait');
  await new Promise((resolve) => setTimeout(resolve, 100));
  for (const program of [victim, other]) program.process.kill('SIGUSR1');
  await new Promise((resolve) => setTimeout(resolve, 100));
  t.same([victim.process.exitCode, other.process.exitCode], [null, null]);
  await killedAtOnce(t, victim);
  feeder.open = true;
  feeder.deliverAll();
  t.equal((await other.ended).code, 0);
  t.match(other.output(), /records in/);
});

t.test('a program is seen as killed only with SIGKILL pending', async (t) => {
  t.notOk(isKilled(process.pid));
  t.notOk(isKilled(0));
  t.notOk(isKilled(2 ** 22 + 1), 'there is no such process');
});
