import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openBlockStore } from '../../blocks/store.ts';
import { checkpoint, DirectoryBed } from '../../peers/directory/bed.twin.ts';
import { RefusedError } from '../control.ts';
import { createGate } from '../gate.ts';
import type { ClusterMember } from '../member.ts';
import { memoryVolumes, silent } from '../twins.ts';
import { createCheckpoints } from './checkpoints.ts';
import { openStaging } from './staging.ts';

async function node(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-keep-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const name of ['root', 'run']) await mkdir(join(folder, name));
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  await directory.put(await bed.record('n2', 'checkpoint', checkpoint('web-1')));
  const blocks = await openBlockStore(join(folder, 'blocks'), {
    onCorrupt: (error) => t.fail(error.message),
  });
  const joined = { member: { directory } as ClusterMember | undefined };
  const checkpoints = createCheckpoints({
    blocksDir: join(folder, 'blocks'),
    volumesDir: join(folder, 'volumes'),
    tempDir: folder,
    pageNamesDir: join(folder, 'page-names'),
    compression: 'lz4',
    staging: await openStaging(join(folder, 'root'), join(folder, 'run')),
    blocks,
    volumes: memoryVolumes(),
    gate: createGate(),
    member: () => joined.member,
    log: silent,
  });
  return { directory, checkpoints, joined };
}

const order = Uint32Array.of(5, 3);

t.test('what a restore touched first is said again with the checkpoint, once', async (t) => {
  const { directory, checkpoints } = await node(t);
  await checkpoints.keepWorkingSet('web-1', order);
  await checkpoints.keepWorkingSet('web-1', Uint32Array.of(9));
  t.same(
    directory
      .checkpoint('web-1')
      .map((held) => held.node)
      .sort(),
    ['n1', 'n2'],
  );
  const { content } = await checkpoints.find('web-1', AbortSignal.timeout(0));
  t.match(content, { ...checkpoint('web-1'), workingSet: { sizeBytes: 8 } });
  t.equal(checkpoints.list().length, 1);
});

t.test('removing a checkpoint removes all that was said of it, and nothing brings it back', async (t) => {
  const { directory, checkpoints } = await node(t);
  await checkpoints.keepWorkingSet('web-1', order);
  await checkpoints.remove('web-1');
  t.same(directory.checkpoint('web-1'), []);
  await checkpoints.keepWorkingSet('web-1', order);
  t.same(directory.checkpoint('web-1'), []);
});

t.test('nothing touched says nothing: the next restore may tell', async (t) => {
  const { directory, checkpoints } = await node(t);
  await checkpoints.keepWorkingSet('web-1', Uint32Array.of());
  t.equal(directory.checkpoint('web-1').length, 1);
});

t.test('a node that cannot sign refuses', async (t) => {
  const { checkpoints, joined } = await node(t);
  joined.member = undefined;
  await t.rejects(checkpoints.keepWorkingSet('web-1', order), RefusedError);
});
