/** What nodes say to each other of pins, and the bounds on it. Both directions are checked where they come in. */
import type { BlockId, Root } from '../../blocks/types.ts';

export const MAX_PIN_IDS = 256;
/** A block that more living volumes name is never asked for, and stays where it is. */
export const MAX_PIN_ROOTS = 256;

/** "Do you keep these blocks?" */
export interface PinRequest {
  /** All living volumes that the asking node knows to name each of the blocks. */
  roots: readonly Root[];
  ids: readonly BlockId[];
}

export const PIN_ANSWERS = [
  /** It is here, durably, and will be until others have promised to keep it. */
  'kept',
  /** This node does not own it, as it sees the members. */
  'not owner',
  /** It is not here (yet). */
  'absent',
  /** This node is about to drop it itself. */
  'dropping',
  /** This node does not know one of the volumes: it might take the block for one that nobody names any more. */
  'unknown volume',
] as const;

export type PinAnswer = (typeof PIN_ANSWERS)[number];

/** A message that no node of this version sends. */
export class BadPinMessageError extends Error {
  constructor(why: string) {
    super(`bad pin message: ${why}`);
    this.name = 'BadPinMessageError';
  }
}

const HEX_64 = /^[0-9a-f]{64}$/;

export function checkPinRequest({ roots, ids }: PinRequest): void {
  checkNames('root', roots, MAX_PIN_ROOTS);
  checkNames('block', ids, MAX_PIN_IDS);
}

function checkNames(what: string, names: readonly string[], max: number): void {
  if (names.length < 1 || names.length > max) {
    throw new BadPinMessageError(`${names.length} ${what} names, must be 1 to ${max}`);
  }
  const bad = names.find((name) => !HEX_64.test(name));
  if (bad !== undefined) throw new BadPinMessageError(`${what} ${JSON.stringify(bad.slice(0, 80))}`);
  if (new Set(names).size !== names.length) throw new BadPinMessageError(`a ${what} is named twice`);
}

export function checkPinAnswers({ ids }: PinRequest, answers: readonly PinAnswer[]): void {
  if (answers.length !== ids.length) {
    throw new BadPinMessageError(`${answers.length} answers to a question of ${ids.length} blocks`);
  }
  const bad = answers.find((answer) => !PIN_ANSWERS.includes(answer));
  if (bad !== undefined) throw new BadPinMessageError(`answer ${JSON.stringify(String(bad).slice(0, 80))}`);
}
