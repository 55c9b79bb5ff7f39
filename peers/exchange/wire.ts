/**
 * Between messages and our own types. What came from a peer is checked here, completely, before anything else sees it:
 * a message that is not as it must be is one `WireError`.
 */
import { hash } from 'node:crypto';
import { isSha256 } from '../../blocks/block.ts';
import type { BlockId, ChainId, LayerRecord, Root } from '../../blocks/types.ts';
import { peer } from '../../proto/peer.ts';
import { MAX_CHAIN_IDS } from './limits.ts';

export const ID_BYTES = 32;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const FORMAT = /^[a-z0-9][a-z0-9.,-]{0,63}$/;

/** A message from a peer that breaks the protocol. */
export class WireError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WireError';
  }
}

/** Throws TypeError for what is no id: those are ours, not a peer's. */
export function idBytes(ids: readonly (BlockId | Root)[]): Buffer {
  for (const id of ids) if (!isSha256(id)) throw new TypeError(`no id: ${JSON.stringify(id)}`);
  return Buffer.from(ids.join(''), 'hex');
}

/** Throws WireError unless there are 1 to `max` ids. */
export function idsFrom(bytes: Uint8Array, max: number): string[] {
  const count = bytes.length / ID_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > max) {
    throw new WireError(`${bytes.length} bytes of ids, expected 1 to ${max} of ${ID_BYTES}`);
  }
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return Array.from({ length: count }, (_, i) => hex.slice(i * 2 * ID_BYTES, (i + 1) * 2 * ID_BYTES));
}

export function chainIdsOf(request: peer.FindLayerRequest): ChainId[] {
  const chainIds = request.getChainIdsList();
  if (chainIds.length > MAX_CHAIN_IDS) throw new WireError(`${chainIds.length} chainIDs`);
  return chainIds.map((chainId) => digest(chainId, 'chainID'));
}

const { Origin } = peer.LayerRecord;
const ORIGINS = { ingested: Origin.INGESTED, walked: Origin.WALKED, copied: Origin.COPIED } as const;

export function recordMessage(record: LayerRecord): peer.LayerRecord {
  const message = new peer.LayerRecord();
  message.setChainId(record.chainId);
  message.setDiffId(record.diffId);
  message.setParent(record.parent);
  message.setRoot(idBytes([record.root]));
  message.setFormat(record.format);
  message.setOrigin(ORIGINS[record.origin]);
  return message;
}

/** A peer's record of the layer that it was asked for. Throws WireError. */
export function recordFrom(message: peer.LayerRecord, asked: ChainId): LayerRecord {
  const chainId = digest(message.getChainId(), 'chainID');
  if (chainId !== asked) throw new WireError(`a record of ${chainId}, asked was ${asked}`);
  const diffId = message.getDiffId() === '' ? '' : digest(message.getDiffId(), 'diffID');
  const parent = message.getParent() === '' ? '' : digest(message.getParent(), 'parent');
  if (diffId !== '' && chainIdOf(parent, diffId) !== chainId) {
    throw new WireError(`a record whose chainID ${chainId} does not follow from its parent and diffID`);
  }
  const [root] = idsFrom(message.getRoot_asU8(), 1);
  const format = message.getFormat();
  if (!FORMAT.test(format)) throw new WireError('a record without a proper format id');
  return { chainId, diffId, parent, root: root!, format, origin: originFrom(message.getOrigin()) };
}

/** OCI's rule: the lowest layer's chainID is its diffID, else the sha256 of `<parent> <diffID>`. */
export function chainIdOf(parent: ChainId | '', diffId: string): ChainId {
  return parent === '' ? diffId : `sha256:${hash('sha256', `${parent} ${diffId}`, 'hex')}`;
}

function digest(text: string, what: string): string {
  if (!DIGEST.test(text)) throw new WireError(`${what} is not sha256:<64 hex digits>`);
  return text;
}

function originFrom(value: number): LayerRecord['origin'] {
  for (const origin of Object.keys(ORIGINS) as LayerRecord['origin'][])
    if (ORIGINS[origin] === value) return origin;
  throw new WireError(`a record of unknown origin ${value}`);
}
