/** Why a record is not taken. */
import { WireError } from '../exchange/wire.ts';
import type { Log } from '../types.ts';
import type { RecordId } from './types.ts';

/**
 * `bad`: no honest node can have taken it, so whoever sends it is at fault. `here`: an honest node may have it, and this one
 * does not take it now: it knows a newer fact, has another clock, or other authorities.
 */
export const REFUSALS = {
  malformed: 'bad',
  certificate: 'bad',
  signature: 'bad',
  /** Signed by somebody who may not say this: neither node nor authority, or the one in place of the other. */
  role: 'bad',
  /** Not made while the signer's certificate was valid. */
  validity: 'bad',
  /** Not the record that was asked for. */
  mismatch: 'bad',
  /** The certificate is of another authority. */
  authority: 'here',
  /** From a later version, perhaps. */
  unknown: 'here',
  future: 'here',
  /** A removal that is too old to be taken. */
  expired: 'here',
  revoked: 'here',
  /** Removed long ago. */
  ended: 'here',
  /** The same signer has said something newer of the same thing. */
  superseded: 'here',
  signerFull: 'here',
  full: 'here',
} as const;

export type Reason = keyof typeof REFUSALS;

/** A record is not taken. `message` says why, for the log. */
export class RecordError extends Error {
  readonly reason: Reason;
  /** As far as it could be told. */
  readonly id: RecordId | undefined;
  /** The name in the certificate, once that was found to be of the cluster. */
  readonly signer: string | undefined;

  constructor(reason: Reason, message: string, of: { id?: RecordId; signer?: string } = {}) {
    super(message);
    this.name = 'RecordError';
    this.reason = reason;
    this.id = of.id;
    this.signer = of.signer;
  }

  /** Whoever sent it is at fault. */
  get bad(): boolean {
    return REFUSALS[this.reason] === 'bad';
  }
}

/** Names in the log who has sent a bad record; answers what ends the exchange with them. */
export function blamed({ reason, message, id, signer }: RecordError, peer: string, log: Log): WireError {
  log.warn({ peer, record: id, signer, reason }, `a bad record from a neighbour: ${message}`);
  return new WireError(`a bad record (${reason}): ${message}`);
}
