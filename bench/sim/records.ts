/**
 * Signing without cryptography: a signature is a hash over the signer's name and the body, which everybody could make, and which
 * nobody in the simulation makes in another's name. It tells a tampered or forged record from a good one as a real one does, at a
 * hundredth of the price. What was checked once is remembered, since records travel by reference: a changed record is another one.
 */
import { hash } from 'node:crypto';
import type { LayerRecord } from '../../blocks/types.ts';
import { decodeBody } from '../../peers/directory/body.ts';
import { keysOf } from '../../peers/directory/keys.ts';
import { CLOCK_TOLERANCE_MS } from '../../peers/directory/limits.ts';
import { RecordError } from '../../peers/directory/refusal.ts';
import { recordIdOf, signedBytes } from '../../peers/directory/sign.ts';
import type { Held, Ref, SignedRecord, Signer, StoredObject } from '../../peers/directory/types.ts';
import type { Verifier } from '../../peers/directory/verify.ts';
import { FORMAT, type SimImage, type SimVolume } from './images.ts';
import { type RecordPool, SimRecordStore } from './record-store.ts';

const sha = (text: string) => hash('sha256', text, 'hex');

export function simSigner(name: string): Signer {
  const certificate = Buffer.from(name);
  return { name, key: sha(`key of ${name}`), certificate, sign: async (bytes) => signature(name, bytes) };
}

/** 64 bytes, as of Ed25519. */
function signature(name: string, bytes: Uint8Array): Buffer {
  return hash('sha512', Buffer.concat([Buffer.from(`${name}\n`), bytes]), 'buffer');
}

export class SimVerifier implements Pick<Verifier, 'verify'> {
  readonly #good = new WeakMap<Uint8Array, Held>();
  /** Off only to show that the simulator notices. */
  readonly #checks: boolean;

  constructor(checks: boolean) {
    this.#checks = checks;
  }

  async verify(record: SignedRecord, nowMs: number): Promise<Held> {
    const held = this.#good.get(record.signature) ?? this.#check(record);
    this.#good.set(record.signature, held);
    if (held.createdMs > nowMs + CLOCK_TOLERANCE_MS) throw new RecordError('future', 'made in the future');
    return held;
  }

  #check({ body, certificate, signature: given }: SignedRecord): Held {
    const name = Buffer.from(certificate).toString();
    if (this.#checks && !signature(name, signedBytes(body)).equals(given))
      throw new RecordError('signature', 'forged');
    const signer = sha(`key of ${name}`);
    const held: Held = { ...decodeBody(body), id: recordIdOf(body, signer), signer };
    if (this.#checks && held.node !== name) throw new RecordError('role', 'in the name of another');
    return held;
  }
}

/** The same records without those that end others. */
export function withoutRemovals(records: SimRecordStore, pool: RecordPool): SimRecordStore {
  const kept = new SimRecordStore(pool);
  for (const id of records.all()) {
    const record = records.get(id)!;
    const held: Held = { ...decodeBody(record.body), id, signer: record.signer };
    if (held.kind !== 'removal') void kept.transact((writer) => writer.put(id, record, keysOf(held)));
  }
  return kept;
}

/** The same bytes under another's name. */
export function forged(record: SignedRecord, name: string): SignedRecord {
  const { body, signature: given } = record;
  return { body, certificate: Buffer.from(name), signature: Buffer.from(given) };
}

/** A lowest layer, whose chainID is its diffID. */
export function layerOf({ root, chainId }: SimVolume): LayerRecord {
  return { chainId, diffId: chainId, parent: '', root, format: FORMAT, origin: 'ingested' };
}

export function refOf({ name, volumes }: SimImage): Ref {
  const object = (what: string): StoredObject => ({
    digest: `sha256:${sha(`${what} of ${name}`)}`,
    sizeBytes: 1000,
    mediaType: 'application/json',
    blocks: [sha(`block of the ${what} of ${name}`)],
  });
  const chainIds = volumes.map(({ chainId }) => chainId);
  return { image: name, manifest: object('manifest'), config: object('config'), chainIds, index: undefined };
}
