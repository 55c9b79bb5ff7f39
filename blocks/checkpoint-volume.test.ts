import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { listTree } from '../integration/lib/tree.ts';
import { diffTrees } from '../integration/lib/tree-diff.ts';
import { runCheckpointIngest } from './ingest-child.ts';
import { openBlockStore } from './store.ts';
import { assemble, mkfsProgram, mountImage, noise, overlay, scratch, setXattr } from './testing.ts';
import { openVolumeStore } from './volumes.ts';

function fillLower(lower: string): void {
  for (const name of ['kept', 'hidden', 'emptied', 'replaced', 'modes']) {
    mkdirSync(join(lower, name), { recursive: true });
    for (const file of ['a', 'b']) writeFileSync(join(lower, name, file), `${name}/${file}`);
  }
  writeFileSync(join(lower, 'gone'), 'gone');
  symlinkSync('kept/a', join(lower, 'link'));
}

/** What a container may do to its root file system. */
function work(root: string): void {
  const at = (name: string) => join(root, name);
  rmSync(at('gone'));
  rmSync(at('hidden'), { recursive: true });
  rmSync(at('emptied'), { recursive: true });
  mkdirSync(at('emptied'));
  rmSync(at('replaced'), { recursive: true });
  mkdirSync(at('replaced'));
  writeFileSync(at('replaced/c'), 'new');
  rmSync(at('link'));
  mkdirSync(at('link'));
  writeFileSync(at('kept/a'), 'changed');
  rmSync(at('kept/b'));
  writeFileSync(at('modes/a'), noise(300_000));
  chownSync(at('modes/a'), 1234, 70_000);
  chmodSync(at('modes/a'), 0o6751);
  setXattr(at('modes/a'), 'user.note', Buffer.from([0, 1, 255]));
  setXattr(
    at('modes/a'),
    'security.capability',
    Buffer.from('0100000200000400000000000000000000000000', 'hex'),
  );
  linkSync(at('modes/a'), at('modes/linked'));
  linkSync(at('modes/a'), at('kept/linked'));
  renameSync(at('modes/b'), at('modes/ü and \n'));
  symlinkSync('/nowhere/\u00e9', at('dangling'));
  const sparse = openSync(at('sparse'), 'w');
  ftruncateSync(sparse, 64 * 1024 * 1024);
  writeSync(sparse, 'in the middle', 30_000_001);
  closeSync(sparse);
  mkdirSync(at('dev'));
  for (const device of ['c 1 3', 'b 7 200', 'c 250 70000']) {
    execFileSync('mknod', [at(`dev/${device.replaceAll(' ', '-')}`), ...device.split(' ')]);
  }
  execFileSync('mkfifo', [at('dev/fifo')]);
  chmodSync(at('dev'), 0o1777);
  utimesSync(at('kept'), 1, 2.5);
}

t.test('as a lower layer, a writable volume shows what its upper directory showed', async (t) => {
  const dir = scratch(t);
  const [lower, upper, workdir] = ['lower', 'upper', 'work'].map((name) => join(dir, name));
  for (const path of [lower!, upper!, workdir!]) mkdirSync(path);
  fillLower(lower!);
  const before = await overlay(
    t,
    join(dir, 'before'),
    `lowerdir=${lower},upperdir=${upper},workdir=${workdir}`,
  );
  work(before);
  const left = listTree(before);

  const folders = {
    blocksDir: join(dir, 'blocks'),
    volumesDir: join(dir, 'volumes'),
    tempDir: join(dir, 'tmp'),
    pageNamesDir: join(dir, 'page-names'),
  };
  const job = { of: 'files' as const, id: 'c1', directory: upper!, compression: 'lz4' as const, ...folders };
  const result = await runCheckpointIngest({ ...job, mkfs: mkfsProgram() });
  t.equal(result.format, 'erofs-walk-lz4-1');
  const blocks = await openBlockStore(folders.blocksDir);
  const volumes = await openVolumeStore(folders.volumesDir);
  const image = await assemble(dir, (await volumes.get(result.root))!, blocks);
  const volume = await mountImage(t, image);
  const after = await overlay(t, join(dir, 'after'), `lowerdir=${volume}:${lower}`);
  // The root's own attributes are those of the uppermost layer, which a lower one never is.
  const [root, ...entries] = listTree(after);
  t.equal(root?.path, '.');
  t.same(diffTrees(left.slice(1), entries), []);
  t.equal((await runCheckpointIngest({ ...job, mkfs: mkfsProgram() })).root, result.root);
});

t.test('sockets are left out: who restores the process binds them again', async (t) => {
  const dir = scratch(t);
  const directory = join(dir, 'upper');
  mkdirSync(directory);
  const server = createServer().listen(join(directory, 'socket'));
  await new Promise((listening) => server.once('listening', listening));
  writeFileSync(join(directory, 'file'), 'x');
  const folders = {
    blocksDir: join(dir, 'blocks'),
    volumesDir: join(dir, 'volumes'),
    tempDir: join(dir, 'tmp'),
    pageNamesDir: join(dir, 'page-names'),
  };
  const job = { of: 'files' as const, id: 'c1', directory, compression: 'none' as const, ...folders };
  const { root } = await runCheckpointIngest({ ...job, mkfs: mkfsProgram() });
  server.close();
  const volumes = await openVolumeStore(folders.volumesDir);
  const image = await assemble(dir, (await volumes.get(root))!, await openBlockStore(folders.blocksDir));
  t.same(
    listTree(await mountImage(t, image)).map(({ path }) => path),
    ['.', 'file'],
  );
});

t.test('a memory volume is made by the child, too; killed at any moment, it publishes nothing', async (t) => {
  const dir = scratch(t);
  const directory = join(dir, 'dump');
  mkdirSync(directory);
  writeFileSync(join(directory, 'pages-1.img'), noise(30_000_000));
  const folders = {
    blocksDir: join(dir, 'blocks'),
    volumesDir: join(dir, 'volumes'),
    tempDir: join(dir, 'tmp'),
    pageNamesDir: join(dir, 'page-names'),
  };
  const job = { of: 'memory' as const, id: 'c1', directory, compression: 'lz4' as const, ...folders };
  for (const delayMs of [1, 80, 140, 200]) {
    const made = await runCheckpointIngest(job, { signal: AbortSignal.timeout(delayMs) }).catch(
      (error: Error) => t.equal(error.name, 'AbortError'),
    );
    const volumes = await openVolumeStore(folders.volumesDir);
    if (typeof made === 'boolean') t.same([...volumes.roots()], []);
    const blocks = await openBlockStore(folders.blocksDir, { onCorrupt: (error) => t.fail(error.message) });
    for (const id of blocks.ids()) await blocks.get(id);
  }
  const made = await runCheckpointIngest(job);
  t.equal(made.format, 'erofs-memory-1');
  t.equal(made.newBytes + made.sharedBytes, made.sizeBytes);
  mkdirSync(join(directory, 'sub'));
  await t.rejects(runCheckpointIngest(job), { name: 'NotFlatError', message: /dump\/sub/ });
});
