import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import t, { type Test } from 'tap';
import { blockIdOf } from '../../blocks/block.ts';
import { memoryBlockStore } from '../../blocks/memory.ts';
import { encodeIndex, rootOf } from '../../blocks/volume.ts';
import { openVolumeStore } from '../../blocks/volumes.ts';
import type { Checkpoint } from '../../peers/directory/types.ts';
import { RefusedError } from '../control.ts';
import { exportCheckpoint, importCheckpoint } from './archive.ts';
import { someDocument } from './control.twin.ts';
import { encodeDocument } from './document.ts';

async function stores(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-archive-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return { blocks: memoryBlockStore(), volumes: await openVolumeStore(folder) };
}

type Stores = Awaited<ReturnType<typeof stores>>;

/** A volume whose blocks are pages of these bytes. */
async function volume({ blocks, volumes }: Stores, ...fills: number[]): Promise<string> {
  const entries = [];
  for (const fill of fills) {
    const bytes = Buffer.alloc(4096, fill);
    const id = blockIdOf(bytes);
    await blocks.put(id, bytes);
    entries.push({ id, sizeBytes: bytes.length, metadata: fill === 1 });
  }
  const encoded = encodeIndex('erofs-memory-1', entries);
  await volumes.put(rootOf(encoded), encoded);
  return rootOf(encoded);
}

const document = encodeDocument(someDocument);
const anything = () => true;

async function made(t: Test) {
  const from = await stores(t);
  const checkpoint: Checkpoint = {
    id: someDocument.id,
    image: 'registry.example/web:2',
    memory: await volume(from, 1, 2, 3),
    volumes: [await volume(from, 1, 3, 4)],
    document: { digest: `sha256:${'0'.repeat(64)}`, sizeBytes: 1, mediaType: 'x', blocks: [] },
    workingSet: undefined,
    repeats: undefined,
  };
  const parts: Buffer[] = [];
  for await (const part of exportCheckpoint(checkpoint, document, from, async () => {})) parts.push(part);
  return { checkpoint, archive: Buffer.concat(parts) };
}

const taken = (archive: Buffer, into: Stores, isNew = anything) =>
  importCheckpoint(Readable.from([archive]), into, isNew);

t.test('what was exported is imported: volumes, blocks once, and the document', async (t) => {
  const { checkpoint, archive } = await made(t);
  const into = await stores(t);
  const imported = await taken(archive, into);
  const { id, image, memory, volumes } = checkpoint;
  t.match(imported, { id, image, memory, volumes, workingSet: undefined });
  t.equal(imported.document.sizeBytes, document.length);
  for (const root of [memory, ...volumes]) {
    const index = await into.volumes.get(root);
    for (let i = 0; i < index!.blockCount; i++) t.ok(into.blocks.has(index!.blockId(i)));
  }
  t.equal(archive.toString('latin1').match(/blocks\/[0-9a-f]{64}/g)?.length, 4, 'each distinct block once');
});

t.test('a name that is taken is not taken again', async (t) => {
  const { archive } = await made(t);
  await t.rejects(
    taken(archive, await stores(t), () => false),
    /there is a checkpoint web-.* already/,
  );
});

t.test('archives that are cut off, changed or of something else are refused', async (t) => {
  const { archive } = await made(t);
  for (let length = 0; length < archive.length - 1024; length += 1700)
    await t.rejects(
      taken(archive.subarray(0, length), await stores(t)),
      RefusedError,
      `cut off at ${length}`,
    );
  const page = archive.indexOf(Buffer.alloc(4096, 3));
  const changed = Buffer.from(archive);
  changed[page + 7]!++;
  await t.rejects(taken(changed, await stores(t)), RefusedError, 'a block that is not what it is called');
  const other = Buffer.from(
    archive
      .toString('latin1')
      .replace(
        `"id":"${someDocument.id}"`,
        '"id":"other-2026010-120000-3fa9"'.padEnd(8 + someDocument.id.length),
      ),
    'latin1',
  );
  await t.rejects(taken(other, await stores(t)), RefusedError, 'the document of another');
  await t.rejects(taken(Buffer.from('hello'), await stores(t)), /no archive of a checkpoint/);
});
