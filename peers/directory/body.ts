/**
 * Between a record's body and what it says. Decoding checks everything that can be checked without knowing who signed;
 * the bytes that were signed are kept as they are, so nothing depends on how a message would be encoded again.
 */
import { isSha256 } from '../../blocks/block.ts';
import type { ChainId } from '../../blocks/types.ts';
import { directory as pb } from '../../proto/directory.ts';
import { fromInt64, toInt64 } from '../../proto/int64.ts';
import { idBytes, idsFrom, recordFrom, recordMessage, WireError } from '../exchange/wire.ts';
import { isNodeName } from '../identity/names.ts';
import {
  MAX_BODY_BYTES,
  MAX_CHECKPOINT_VOLUMES,
  MAX_IMAGE_NAME_CHARACTERS,
  MAX_LAYERS,
  MAX_MEDIA_TYPE_CHARACTERS,
  MAX_OBJECT_BLOCKS,
  MAX_OBJECT_BYTES,
  MAX_REMOVAL_NAMES,
} from './limits.ts';
import { RecordError } from './refusal.ts';
import type { Checkpoint, Digest, Ref, Removal, Revocation, Statement, StoredObject } from './types.ts';

const SHA256 = 'sha256:';
const PRINTABLE = /^[\x21-\x7e]+$/;
const CHECKPOINT_ID = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** Throws RecordError for what this node would not take from others, TypeError for ids and digests that are none. */
export function encodeBody(statement: Statement): Uint8Array {
  const body = new pb.Body().setNode(statement.node).setCreatedMs(toInt64(statement.createdMs));
  setContent(body, statement);
  const bytes = body.serializeBinary();
  decodeBody(bytes);
  return bytes;
}

/** Throws RecordError: `malformed`, or `unknown` for a kind that this version does not know. */
export function decodeBody(bytes: Uint8Array): Statement {
  if (bytes.length > MAX_BODY_BYTES) throw new RecordError('malformed', `a body of ${bytes.length} bytes`);
  try {
    // A plain view: google-protobuf would copy a Buffer.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return statementFrom(pb.Body.deserializeBinary(plain));
  } catch (error) {
    if (error instanceof RecordError) throw error;
    throw new RecordError('malformed', `a body that is none: ${(error as Error).message}`);
  }
}

function setContent(body: pb.Body, { kind, content }: Statement): void {
  switch (kind) {
    case 'layer':
      body.setLayer(recordMessage(content));
      break;
    case 'checkpoint':
      body.setCheckpoint(checkpointMessage(content));
      break;
    case 'ref':
      body.setRef(refMessage(content));
      break;
    case 'removal':
      body.setRemoval(removalMessage(content));
      break;
    case 'revocation':
      body.setRevocation(new pb.Revocation().setKey(idBytes([content.key])).setNode(content.node));
      break;
  }
}

function statementFrom(body: pb.Body): Statement {
  const node = body.getNode();
  if (!isNodeName(node)) throw new WireError('no proper name of a node');
  const common = { node, createdMs: fromInt64(body.getCreatedMs(), 'time of creation') };
  const { ContentCase } = pb.Body;
  switch (body.getContentCase()) {
    case ContentCase.LAYER:
      return { kind: 'layer', ...common, content: layerFrom(body.getLayer()!) };
    case ContentCase.CHECKPOINT:
      return { kind: 'checkpoint', ...common, content: checkpointFrom(body.getCheckpoint()!) };
    case ContentCase.REF:
      return { kind: 'ref', ...common, content: refFrom(body.getRef()!) };
    case ContentCase.REMOVAL:
      return { kind: 'removal', ...common, content: removalFrom(body.getRemoval()!) };
    case ContentCase.REVOCATION:
      return { kind: 'revocation', ...common, content: revocationFrom(body.getRevocation()!) };
    default:
      throw new RecordError('unknown', 'a record of a kind that is not known here');
  }
}

export function isCheckpointId(text: string): boolean {
  return CHECKPOINT_ID.test(text);
}

function layerFrom(message: Parameters<typeof recordFrom>[0]) {
  const layer = recordFrom(message, message.getChainId());
  if (layer.origin === 'ingested' && layer.diffId === '')
    throw new WireError('an ingested layer without diffID');
  return layer;
}

function checkpointMessage(checkpoint: Checkpoint): pb.Checkpoint {
  const message = new pb.Checkpoint()
    .setId(checkpoint.id)
    .setImage(checkpoint.image)
    .setDocument(objectMessage(checkpoint.document))
    .setVolumeRoots(idBytes(checkpoint.volumes))
    .setMemoryRoot(idBytes([checkpoint.memory]));
  const { workingSet, repeats } = checkpoint;
  if (workingSet !== undefined) message.setWorkingSet(objectMessage(workingSet));
  return repeats === undefined ? message : message.setRepeats(idBytes([repeats]));
}

function checkpointFrom(message: pb.Checkpoint): Checkpoint {
  const id = message.getId();
  if (!isCheckpointId(id)) throw new WireError("no proper checkpoint's id");
  const image = message.getImage();
  const volumes = message.getVolumeRoots_asU8();
  const workingSet = message.getWorkingSet();
  const repeats = message.getRepeats_asU8();
  return {
    id,
    image: image === '' ? '' : imageName(image),
    document: objectFrom(message.getDocument()),
    volumes: volumes.length === 0 ? [] : idsFrom(volumes, MAX_CHECKPOINT_VOLUMES),
    memory: oneId(message.getMemoryRoot_asU8()),
    workingSet: workingSet && objectFrom(workingSet),
    repeats: repeats.length === 0 ? undefined : oneId(repeats),
  };
}

function refMessage(ref: Ref): pb.Ref {
  const message = new pb.Ref()
    .setImage(ref.image)
    .setManifest(objectMessage(ref.manifest))
    .setConfig(objectMessage(ref.config))
    .setChainIds(digestBytes(ref.chainIds));
  return ref.index === undefined ? message : message.setIndex(objectMessage(ref.index));
}

function refFrom(message: pb.Ref): Ref {
  const index = message.getIndex();
  return {
    image: imageName(message.getImage()),
    manifest: objectFrom(message.getManifest()),
    config: objectFrom(message.getConfig()),
    chainIds: digestsFrom(message.getChainIds_asU8(), MAX_LAYERS),
    index: index && objectFrom(index),
  };
}

function objectMessage(object: StoredObject): pb.Content {
  return new pb.Content()
    .setDigest(digestBytes([object.digest]))
    .setSizeBytes(object.sizeBytes)
    .setMediaType(object.mediaType)
    .setBlocks(idBytes(object.blocks));
}

function objectFrom(message: pb.Content | undefined): StoredObject {
  if (message === undefined) throw new WireError('a record that lacks an object');
  const sizeBytes = message.getSizeBytes();
  if (!Number.isInteger(sizeBytes) || sizeBytes < 1 || sizeBytes > MAX_OBJECT_BYTES)
    throw new WireError(`an object of ${sizeBytes} bytes`);
  return {
    digest: oneDigest(message.getDigest_asU8()),
    sizeBytes,
    mediaType: printable(message.getMediaType(), MAX_MEDIA_TYPE_CHARACTERS, 'media type'),
    blocks: idsFrom(message.getBlocks_asU8(), MAX_OBJECT_BLOCKS),
  };
}

function removalMessage(removal: Removal): pb.Removal {
  return new pb.Removal()
    .setImage(removal.image)
    .setChainIds(digestBytes(removal.chainIds))
    .setRecordIds(idBytes(removal.recordIds));
}

function removalFrom(message: pb.Removal): Removal {
  const image = message.getImage() === '' ? '' : imageName(message.getImage());
  const chains = message.getChainIds_asU8();
  const records = message.getRecordIds_asU8();
  const chainIds = chains.length === 0 ? [] : digestsFrom(chains, MAX_REMOVAL_NAMES);
  const recordIds = records.length === 0 ? [] : idsFrom(records, MAX_REMOVAL_NAMES);
  const names = chainIds.length + recordIds.length;
  if (names > MAX_REMOVAL_NAMES) throw new WireError(`a removal of ${names} names`);
  if (names === 0 && image === '') throw new WireError('a removal of nothing');
  return { image, chainIds, recordIds };
}

function revocationFrom(message: pb.Revocation): Revocation {
  const node = message.getNode();
  if (!isNodeName(node)) throw new WireError('no proper name of a revoked node');
  return { key: oneId(message.getKey_asU8()), node };
}

function imageName(text: string): string {
  return printable(text, MAX_IMAGE_NAME_CHARACTERS, 'image name');
}

/** ASCII without spaces, and not empty. */
export function isPrintable(text: string, maxCharacters: number): boolean {
  return text.length <= maxCharacters && PRINTABLE.test(text);
}

function printable(text: string, maxCharacters: number, what: string): string {
  if (!isPrintable(text, maxCharacters)) throw new WireError(`no proper ${what}`);
  return text;
}

function oneId(bytes: Uint8Array): string {
  return idsFrom(bytes, 1)[0]!;
}

function oneDigest(bytes: Uint8Array): Digest {
  return SHA256 + oneId(bytes);
}

function digestsFrom(bytes: Uint8Array, max: number): ChainId[] {
  return idsFrom(bytes, max).map((hex) => SHA256 + hex);
}

function digestBytes(digests: readonly Digest[]): Buffer {
  const isDigest = (text: string) => text.startsWith(SHA256) && isSha256(text.slice(SHA256.length));
  const wrong = digests.find((text) => !isDigest(text));
  if (wrong !== undefined) throw new TypeError(`no sha256 digest: ${JSON.stringify(wrong)}`);
  return idBytes(digests.map((text) => text.slice(SHA256.length)));
}
