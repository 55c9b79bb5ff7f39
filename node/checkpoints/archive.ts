/**
 * A checkpoint in one file, for a cluster that cannot be reached: a tar of what its record says, its document, all distinct blocks, and the
 * volumes' indexes. The image is not in it. What comes in is checked as if a neighbour had sent it: blocks and indexes by their names, the
 * document field by field; nothing counts before all of it is here.
 */
import * as v from 'valibot';
import { MAX_BLOCK_BYTES } from '../../blocks/block.ts';
import { digestOf } from '../../blocks/digest.ts';
import { TarReader } from '../../blocks/tar-read.ts';
import { TAR_END, tarHeader, tarPadding } from '../../blocks/tar-write.ts';
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { MAX_INDEX_BYTES } from '../../blocks/volume.ts';
import type { Checkpoint } from '../../peers/directory/types.ts';
import { RefusedError } from '../control.ts';
import { storeObject } from '../image-refs-object.ts';
import { DOCUMENT_MEDIA_TYPE, decodeDocument, MAX_DOCUMENT_BYTES } from './document.ts';

const HEAD = 'checkpoint.json';
const DOCUMENT = 'document.json';
const BLOCK = /^blocks\/([0-9a-f]{64})$/;
const VOLUME = /^volumes\/([0-9a-f]{64})$/;
const MAX_HEAD_BYTES = 64 << 10;

const root = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const headSchema = v.strictObject({
  format: v.literal(1),
  id: v.string(),
  image: v.pipe(v.string(), v.maxLength(512)),
  memory: root,
  volumes: v.pipe(v.array(root), v.maxLength(64)),
});

interface Stores {
  blocks: Pick<BlockStore, 'has' | 'get' | 'put' | 'sync'>;
  volumes: Pick<VolumeStore, 'has' | 'get' | 'encoded' | 'put'>;
}

/** The archive's bytes. `bring` makes sure that a block is here. Rejects with what it rejects with. */
export async function* exportCheckpoint(
  { id, image, memory, volumes: writable }: Checkpoint,
  document: Buffer,
  { blocks, volumes }: Stores,
  bring: (block: BlockId, root: Root) => Promise<void>,
): AsyncGenerator<Buffer> {
  yield* entry(HEAD, Buffer.from(JSON.stringify({ format: 1, id, image, memory, volumes: writable })));
  yield* entry(DOCUMENT, document);
  const seen = new Set<BlockId>();
  for (const name of [memory, ...writable]) {
    const index = await volumes.get(name);
    if (!index) throw new RefusedError('state', `the index of volume ${name} is not here`);
    for (const block of blocksOf(index)) {
      if (seen.has(block)) continue;
      seen.add(block);
      await bring(block, name);
      const bytes = await blocks.get(block);
      if (!bytes) throw new RefusedError('state', `block ${block} went before it was read`);
      yield* entry(`blocks/${block}`, bytes);
    }
  }
  for (const name of new Set([memory, ...writable]))
    yield* entry(`volumes/${name}`, (await volumes.encoded(name))!);
  yield TAR_END;
}

function* entry(name: string, bytes: Buffer): Generator<Buffer> {
  yield tarHeader({ type: '0', name, mode: 0o644, sizeBytes: bytes.length });
  yield bytes;
  yield tarPadding(bytes.length);
}

function* blocksOf(index: VolumeIndex): Generator<BlockId> {
  for (let i = 0; i < index.blockCount; i++) yield index.blockId(i);
}

/** What the record of it is to say. Rejects with RefusedError for what is no such archive, or not a whole one. */
export async function importCheckpoint(
  archive: AsyncIterable<Uint8Array>,
  stores: Stores,
  isNew: (id: string) => boolean,
): Promise<Checkpoint> {
  const reader = new TarReader(archive);
  try {
    const head = headFrom(await named(reader, HEAD, MAX_HEAD_BYTES));
    if (!isNew(head.id)) throw new RefusedError('invalid', `there is a checkpoint ${head.id} already`);
    const document = await named(reader, DOCUMENT, MAX_DOCUMENT_BYTES);
    decodeDocument(document, head.id);
    await storeAll(reader, stores);
    for (const name of [head.memory, ...head.volumes]) await checkWhole(name, stores);
    const descriptor = { digest: digestOf(document), mediaType: DOCUMENT_MEDIA_TYPE };
    const stored = await storeObject(stores.blocks, descriptor, document);
    await stores.blocks.sync();
    const { id, image, memory, volumes } = head;
    return { id, image, memory, volumes, document: stored, workingSet: undefined, repeats: undefined };
  } catch (error) {
    if (error instanceof RefusedError || 'syscall' in (error as Error)) throw error;
    throw new RefusedError('invalid', `it is no archive of a checkpoint: ${(error as Error).message}`);
  } finally {
    await reader.close();
  }
}

function headFrom(bytes: Buffer): v.InferOutput<typeof headSchema> {
  return v.parse(headSchema, JSON.parse(bytes.toString()));
}

async function named(reader: TarReader, name: string, maxBytes: number): Promise<Buffer> {
  const found = await reader.next();
  if (found?.name !== name) throw new Error(`${found?.name ?? 'nothing'} where ${name} should be`);
  return content(reader, found, maxBytes);
}

async function content(
  reader: TarReader,
  of: { name: string; sizeBytes: number },
  maxBytes: number,
): Promise<Buffer> {
  if (of.sizeBytes > maxBytes) throw new Error(`${of.name} has ${of.sizeBytes} bytes`);
  const parts: Buffer[] = [];
  // Parts are valid until the next one only.
  for await (const part of reader.content()) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** Blocks first: an index is published when its metadata blocks are durable. */
async function storeAll(reader: TarReader, { blocks, volumes }: Stores): Promise<void> {
  let isSynced = false;
  for (let found = await reader.next(); found; found = await reader.next()) {
    const block = BLOCK.exec(found.name)?.[1];
    const volume = VOLUME.exec(found.name)?.[1];
    if (block !== undefined) {
      await blocks.put(block, await content(reader, found, MAX_BLOCK_BYTES));
      isSynced = false;
    } else if (volume !== undefined) {
      if (!isSynced) await blocks.sync();
      isSynced = true;
      await volumes.put(volume, await content(reader, found, MAX_INDEX_BYTES));
    } else throw new Error(`${found.name} in it`);
  }
}

async function checkWhole(name: Root, { blocks, volumes }: Stores): Promise<void> {
  const index = await volumes.get(name);
  if (!index) throw new RefusedError('invalid', `the archive lacks volume ${name}`);
  for (const block of blocksOf(index))
    if (!blocks.has(block)) throw new RefusedError('invalid', `the archive lacks block ${block}`);
}
