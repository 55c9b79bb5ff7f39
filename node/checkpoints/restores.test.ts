import t, { type Test } from 'tap';
import { checkpoint } from '../../peers/directory/bed.twin.ts';
import type { Held } from '../../peers/directory/types.ts';
import {
  digest,
  layerRecord,
  memoryBlocks,
  memoryMounts,
  memoryNeighbours,
  memoryRecords,
  memoryVolumes,
  pageVolume,
  silent,
} from '../twins.ts';
import { createRestores } from './restores.ts';

/** A node that knows one checkpoint; its memory cannot be read, which a restore survives. */
async function node() {
  const volumes = memoryVolumes();
  const [memory, files, layer] = [[1], [2], [3]].map(pageVolume) as [Volume, Volume, Volume];
  for (const { root, encoded } of [memory, files, layer]) await volumes.put(root, encoded);
  const content = { ...checkpoint('web-1'), memory: memory.root, volumes: [files.root] };
  const record: Held<'checkpoint'> = {
    ...{ id: '', signer: '', kind: 'checkpoint', node: 'n1', createdMs: 0 },
    content,
  };
  const [mounts, layers] = [memoryMounts(), memoryRecords()];
  const restores = createRestores({
    checkpoints: { find: async () => record } as unknown as Parts['checkpoints'],
    neighbours: memoryNeighbours(async (root) => (await volumes.get(root))!),
    blocks: memoryBlocks(),
    mounts,
    layers,
    fallBack: async () => undefined,
    onChange: () => {},
    log: silent,
  });
  const open = () =>
    restores.open('web-1', [], { namespace: 'default', id: 'web' }, () => {}, new AbortController().signal);
  return { restores, record, mounts, layers, open, memory, layer };
}

type Volume = ReturnType<typeof pageVolume>;
type Parts = Parameters<typeof createRestores>[0];

function mountedAre(
  t: Test,
  { mounts }: Pick<Awaited<ReturnType<typeof node>>, 'mounts'>,
  ...roots: string[]
) {
  t.same([...mounts.mounted()].sort(), roots.sort());
}

t.test('what is begun ahead of a restore ends with it, where nothing has come of it', async (t) => {
  const one = await node();
  const ahead = one.restores.ahead(one.record);
  ahead.mount(one.layer.root);
  ahead.mount(one.layer.root);
  t.ok(one.restores.inUse().has(one.layer.root), 'its metadata stays meanwhile');
  await ahead.end();
  mountedAre(t, one);
  t.equal(one.restores.inUse().size, 0);
});

t.test('a layer that was mounted ahead stays once it is a layer of this node', async (t) => {
  const one = await node();
  const ahead = one.restores.ahead(one.record);
  ahead.mount(one.layer.root);
  await one.layers.put(layerRecord(digest('a'), one.layer.root));
  await ahead.end();
  mountedAre(t, one, one.layer.root);
});

t.test('a layer that comes after the end is not mounted', async (t) => {
  const one = await node();
  const ahead = one.restores.ahead(one.record);
  await ahead.end();
  ahead.mount(one.layer.root);
  mountedAre(t, one);
  t.equal(one.restores.inUse().size, 0);
});

t.test('the restore takes over what was begun ahead, and its end ends that', async (t) => {
  const one = await node();
  const ahead = one.restores.ahead(one.record);
  const restore = await one.open();
  await ahead.end();
  t.ok(one.mounts.mounted().has(one.memory.root));
  await restore.release();
  mountedAre(t, one);
});

t.test('other work waits from when a container is made until all of its memory is here', async (t) => {
  const { restores, record, open } = await node();
  t.notOk(restores.isBringing());
  const ahead = restores.ahead(record);
  t.ok(restores.isBringing());
  const restore = await open();
  await ahead.end();
  t.ok(restores.isBringing());
  restore.heard({ do: 'event', event: 'running' });
  t.ok(restores.isBringing());
  restore.heard({ do: 'event', event: 'complete' });
  t.notOk(restores.isBringing());
  await restore.release();
});
