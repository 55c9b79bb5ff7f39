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

async function node(t: Test, bed: DirectoryBed, name = 'n1') {
  const folder = await mkdtemp(join(tmpdir(), 'forage-keep-'));
  t.teardown(() => rm(folder, { recursive: true }));
  for (const name of ['root', 'run']) await mkdir(join(folder, name));
  const { directory } = await bed.directory(name);
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
    records: { get: () => undefined },
    mounts: { ensure: () => Promise.reject(new Error('nothing is mounted')) },
    member: () => joined.member,
    log: silent,
  });
  return { bed, directory, checkpoints, joined };
}

/** Two nodes that have heard of a checkpoint of n2's, and do not hear of each other. */
async function sides(t: Test) {
  const bed = await DirectoryBed.make(t);
  const made = await bed.record('n2', 'checkpoint', checkpoint('web-1'));
  const both = [await node(t, bed), await node(t, bed, 'n3')] as const;
  for (const { directory } of both) await directory.put(made);
  return both;
}

const knowing = async (t: Test) => (await sides(t))[0];

const order = Uint32Array.of(5, 3);

t.test('what a restore touched first is said again with the checkpoint, once', async (t) => {
  const { directory, checkpoints } = await knowing(t);
  const [first] = directory.checkpoint('web-1');
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
  t.match(content, { ...checkpoint('web-1'), workingSet: { sizeBytes: 8 }, repeats: first!.id });
  t.equal(checkpoints.list().length, 1);
});

t.test('removing a checkpoint removes all that was said of it, and nothing brings it back', async (t) => {
  const { directory, checkpoints } = await knowing(t);
  await checkpoints.keepWorkingSet('web-1', order);
  await checkpoints.remove('web-1');
  t.same(directory.checkpoint('web-1'), []);
  await checkpoints.keepWorkingSet('web-1', order);
  t.same(directory.checkpoint('web-1'), []);
});

t.test('nothing brings it back from the other side of a network that was split, either', async (t) => {
  const [here, there] = await sides(t);
  await there.checkpoints.keepWorkingSet('web-1', order);
  const [again] = there.directory.checkpoint('web-1').filter(({ content }) => content.workingSet);
  await here.checkpoints.remove('web-1');
  t.equal(await here.directory.put(there.directory.record(again!.id)!), 'added');
  t.same(here.directory.checkpoint('web-1'), []);
});

t.test('who knows of it by its working set alone removes all of it', async (t) => {
  const [here, there] = await sides(t);
  const [first] = here.directory.checkpoint('web-1');
  await there.checkpoints.keepWorkingSet('web-1', order);
  const [again] = there.directory.checkpoint('web-1').filter(({ content }) => content.workingSet);
  const late = await node(t, here.bed, 'n4');
  await late.directory.put(there.directory.record(again!.id)!);
  await late.checkpoints.remove('web-1');
  await late.directory.put(here.directory.record(first!.id)!);
  t.same(late.directory.checkpoint('web-1'), []);
});

t.test('nothing touched says nothing: the next restore may tell', async (t) => {
  const { directory, checkpoints } = await knowing(t);
  await checkpoints.keepWorkingSet('web-1', Uint32Array.of());
  t.equal(directory.checkpoint('web-1').length, 1);
});

t.test('a node that cannot sign refuses', async (t) => {
  const { checkpoints, joined } = await knowing(t);
  joined.member = undefined;
  await t.rejects(checkpoints.keepWorkingSet('web-1', order), RefusedError);
});
