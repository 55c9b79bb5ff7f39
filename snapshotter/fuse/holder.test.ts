/** The holder and the server as processes, without systemd: kills, adoption by another holder, a lost mount. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MNT_DETACH, MS_RDONLY, mount, unmount } from '../../blocks/libc.ts';
import { seededPick } from '../../blocks/testing.ts';
import { PAGE_BYTES } from '../../blocks/types.ts';
import { FeedServer } from './feed-server.ts';
import {
  erofsImage,
  killGroup,
  mountFuse,
  scratch,
  start,
  startHolder,
  TestFeeder,
  TestLog,
  TestStore,
  type TestVolume,
  unmountLazily,
  until,
} from './testkit.ts';

const KILLS = 100;

/** The server that a holder runs now. */
function serverOf(holder: number): number | undefined {
  const children = readFileSync(`/proc/${holder}/task/${holder}/children`, 'utf8').trim().split(' ');
  return children.map(Number).find((pid) => pid > 0 && commandOf(pid).includes('server.ts'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

function setUp(t: Test) {
  const dir = scratch(t);
  const run = join(dir, 'run');
  const store = new TestStore(dir);
  return { dir, run, store, point: join(run, 'volumes') };
}

t.test('the server is killed at random moments while a tree is read: no read fails', async (t) => {
  const pick = seededPick(t);
  const { dir, run, store, point } = setUp(t);
  const volume = store.add(erofsImage(dir, import.meta.dirname, ['-zlz4']), 8);
  const large = store.add(randomBytes(4000 * PAGE_BYTES), 32);
  const far = new TestFeeder(store, false);
  far.knows(volume, large);
  const feed = new FeedServer(
    (root, id) =>
      new Promise((resolve, reject) => {
        far.bring(root, id, (failure) => (failure ? reject(new Error(failure)) : resolve()));
        setTimeout(() => far.deliver(id), pick(20));
      }),
    new TestLog(),
  );
  await mkdir(run);
  await feed.listen(join(run, 'volumes.sock'));
  t.teardown(() => feed.close());
  const holder = startHolder(t, dir, run);
  await until(() => holder.output().includes('serves'), 'a server');

  let done = false;
  let reads = 0;
  const failures: string[] = [];
  const expected = start(t, 'sh', [
    '-c',
    `cd '${import.meta.dirname}' && find . -type f -exec sha256sum {} + > '${dir}/sums'`,
  ]);
  t.equal((await expected.ended).code, 0);
  const readTree = async () => {
    const mounted = join(dir, 'mounted');
    await mkdir(mounted);
    while (!done) {
      await mount(join(point, volume.root), mounted, 'erofs', MS_RDONLY, '');
      const check = start(t, 'sh', ['-c', `cd '${mounted}' && sha256sum --quiet -c '${dir}/sums'`]);
      if ((await check.ended).code !== 0) failures.push(check.output());
      reads++;
      await unmount(mounted, MNT_DETACH);
      await forgetSome(volume);
    }
  };
  const readLarge = async () => {
    while (!done) {
      const bytes = await readFile(join(point, large.root)).catch((error: Error) =>
        Buffer.from(error.message),
      );
      if (!bytes.equals(large.bytes)) failures.push(bytes.toString('latin1', 0, 100));
      reads++;
      await forgetSome(large);
    }
  };
  const forgetSome = async ({ root, blocks }: TestVolume) => {
    for (let i = 0; i < 5; i++) store.removeBlock(blocks[pick(blocks.length)]!.id);
    const dropped = start(t, 'dd', [`if=${join(point, root)}`, 'iflag=nocache', 'count=0', 'status=none']);
    if ((await dropped.ended).code !== 0) failures.push(dropped.output());
  };
  const readers = Promise.all([readTree(), readLarge()]);
  for (let kills = 0; kills < KILLS; ) {
    await new Promise((resolve) => setTimeout(resolve, pick(250)));
    const server = serverOf(holder.process.pid!);
    if (server === undefined) continue;
    process.kill(server, 'SIGKILL');
    kills++;
    // Now and again one lives long enough for a whole read.
    const before = reads;
    if (kills % 20 === 0) await until(() => reads > before, 'a whole read');
  }
  done = true;
  await readers;
  t.same(failures, []);
  t.comment(`${reads} whole reads, ${far.asked.length} blocks brought`);
});

t.test('a descriptor that was kept is adopted: reads wait for the next holder', async (t) => {
  const { dir, run, store, point } = setUp(t);
  const volume = store.add(randomBytes(3000 * PAGE_BYTES));
  const fd = mountFuse(t, point);
  const adopt = (): ReturnType<typeof startHolder> => {
    const env = { LISTEN_FDS: '1', LISTEN_FDNAMES: 'fuse' };
    return startHolder(t, dir, run, env, fd);
  };
  const first = adopt();
  const path = join(point, volume.root);
  await until(() => first.output().includes('serves'), 'a server');
  t.ok((await readFile(path)).equals(volume.bytes));
  killGroup(first.process.pid!);
  await first.ended;
  const reader = start(t, 'sh', [
    '-c',
    `dd if='${path}' iflag=nocache count=0 status=none && cmp '${path}' '${path}'`,
  ]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  t.equal(reader.process.exitCode, null, 'it waits');
  adopt();
  t.equal((await reader.ended).code, 0);
  t.ok((await readFile(path)).equals(volume.bytes));
});

t.test('a mount that somebody took away is made again', async (t) => {
  const { dir, run, store, point } = setUp(t);
  const volume = store.add(randomBytes(10 * PAGE_BYTES));
  const holder = startHolder(t, dir, run);
  await until(() => holder.output().includes('serves'), 'a server');
  unmountLazily(point);
  await until(() => holder.output().split('serves').length === 3, 'another server');
  t.ok((await readFile(join(point, volume.root))).equals(volume.bytes));
  t.match(holder.output(), /was unmounted/);
});

t.test('a server of the other transport that dies is replaced with a new mount', async (t) => {
  const { dir, run, store, point } = setUp(t);
  const volume = store.add(randomBytes(10 * PAGE_BYTES));
  const holder = startHolder(t, dir, run, { FORAGE_TRANSPORT: 'fuse-native' });
  const served = () => until(() => isMounted(point), 'mounted');
  await served();
  const path = join(point, volume.root);
  t.ok((await readFile(path)).equals(volume.bytes));
  process.kill(serverOf(holder.process.pid!)!, 'SIGKILL');
  await until(() => holder.output().split('serves').length === 3, 'another server');
  await served();
  t.ok((await readFile(path)).equals(volume.bytes));
});

function isMounted(point: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${point} `);
}
