/**
 * Between messages and our own types. What came from a peer is checked here, completely, before anything else sees it:
 * a message that is not as it must be is one `WireError`.
 */
import { isSha256 } from '../../blocks/block.ts';
import { chainIdOf, isDigest } from '../../blocks/digest.ts';
import type { BlockId, ChainId, LayerRecord, Root } from '../../blocks/types.ts';
import { peer } from '../../proto/peer.ts';
import { MAX_PIN_IDS, MAX_PIN_ROOTS, type PinAnswer, type PinRequest } from '../placement/messages.ts';

export const ID_BYTES = 32;
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

function digest(text: string, what: string): string {
  if (!isDigest(text)) throw new WireError(`${what} is not sha256:<64 hex digits>`);
  return text;
}

function originFrom(value: number): LayerRecord['origin'] {
  for (const origin of Object.keys(ORIGINS) as LayerRecord['origin'][])
    if (ORIGINS[origin] === value) return origin;
  throw new WireError(`a record of unknown origin ${value}`);
}

export function pinRequestMessage({ roots, ids }: PinRequest): peer.PinRequest {
  return new peer.PinRequest().setRoots(idBytes(roots)).setIds(idBytes(ids));
}

/** Throws WireError. */
export function pinRequestFrom(message: peer.PinRequest): PinRequest {
  return {
    roots: idsFrom(message.getRoots_asU8(), MAX_PIN_ROOTS),
    ids: idsFrom(message.getIds_asU8(), MAX_PIN_IDS),
  };
}

const { Answer } = peer.PinReply;
const ANSWERS: Record<PinAnswer, number> = {
  kept: Answer.KEPT,
  'not owner': Answer.NOT_OWNER,
  absent: Answer.ABSENT,
  dropping: Answer.DROPPING,
  'unknown volume': Answer.UNKNOWN_VOLUME,
};

export function pinReply(answers: readonly PinAnswer[]): peer.PinReply {
  return new peer.PinReply().setAnswers(Uint8Array.from(answers, (answer) => ANSWERS[answer]));
}

/** Throws WireError. That there are as many as was asked for is checked by who asked. */
export function pinAnswersFrom(message: peer.PinReply): PinAnswer[] {
  const answers = message.getAnswers_asU8();
  if (answers.length > MAX_PIN_IDS) throw new WireError(`${answers.length} answers about blocks`);
  return Array.from(answers, (value) => {
    for (const answer of Object.keys(ANSWERS) as PinAnswer[]) if (ANSWERS[answer] === value) return answer;
    throw new WireError(`an unknown answer ${value} about a block`);
  });
}
