/**
 * Checks records as they come from others: certificate, signature, body, and that who signed may say this. Certificates
 * are checked against the cluster's authorities, but not against the clock: a record outlives its signer's certificate.
 * It must have been made while the certificate was valid; somebody who has an old key could say so falsely, which is
 * what revocations are for. Revocations themselves are the directory's business.
 */
import { hash, type KeyObject, verify, X509Certificate } from 'node:crypto';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { authoritiesOf } from '../identity/identity.ts';
import { keyOf } from '../identity/keys.ts';
import { AUTHORITY_ROLE, isNodeName, nodeNameOf, type Subject } from '../identity/names.ts';
import { decodeBody } from './body.ts';
import { CLOCK_TOLERANCE_MS, MAX_BODY_BYTES, MAX_CERTIFICATE_BYTES, SIGNATURE_BYTES } from './limits.ts';
import { RecordError } from './refusal.ts';
import { recordIdOf, signedBytes } from './sign.ts';
import type { Held, SignedRecord, SignerKey } from './types.ts';

const CERTIFICATES_REMEMBERED = 1024;

/** Runs beside the event loop. */
const verifySignature = promisify(verify) as (
  algorithm: null,
  data: Uint8Array,
  key: KeyObject,
  signature: Uint8Array,
) => Promise<boolean>;

/** A certificate of the cluster. */
interface Certified {
  name: string;
  role: 'node' | 'authority';
  key: SignerKey;
  publicKey: KeyObject;
  validFromMs: number;
  validToMs: number;
}

export class Verifier {
  readonly #authorities: readonly X509Certificate[];
  /** Good ones, by the sha256 of their DER. */
  readonly #certificates = new LRUCache<string, Certified>({ max: CERTIFICATES_REMEMBERED });

  /** `ca`: one or more certificates of authorities in PEM form, as `loadIdentity` has checked them. */
  constructor(ca: Buffer) {
    this.#authorities = authoritiesOf(ca);
  }

  /** Throws RecordError. */
  async verify(record: SignedRecord, nowMs: number): Promise<Held> {
    checkLengths(record);
    const signer = this.#certified(record.certificate);
    const id = recordIdOf(record.body, signer.key);
    const refuse = (reason: RecordError['reason'], message: string) =>
      new RecordError(reason, message, { id, signer: signer.name });
    const signed = signedBytes(record.body);
    if (!(await verifySignature(null, signed, signer.publicKey, record.signature)))
      throw refuse('signature', 'the signature is not of the certificate over the body');
    let held: Held;
    try {
      held = { ...decodeBody(record.body), id, signer: signer.key };
    } catch (error) {
      const { reason, message } = error as RecordError;
      throw refuse(reason, message);
    }
    const fault = this.#unfit(held, signer) ?? untimely(held, signer, nowMs);
    if (fault) throw refuse(...fault);
    return held;
  }

  #certified(der: Uint8Array): Certified {
    const digest = hash('sha256', der, 'hex');
    const known = this.#certificates.get(digest);
    if (known) return known;
    const certified = this.#check(der);
    this.#certificates.set(digest, certified);
    return certified;
  }

  #check(der: Uint8Array): Certified {
    const cert = parse(der);
    this.#checkIssuer(cert);
    // Only now: of a malformed certificate this call has ended the whole process (Node 24.21).
    const subject = cert.toLegacyObject().subject as Subject;
    const signer = typeof subject.CN === 'string' ? subject.CN : '';
    const role = this.#roleOf(cert, subject);
    if (role === undefined)
      throw new RecordError('role', 'the certificate is neither a node nor an authority', { signer });
    const key = keyOf(cert);
    if (key === undefined)
      throw new RecordError('certificate', 'the certificate has no Ed25519 key', { signer });
    const { validFromDate, validToDate, publicKey } = cert;
    return {
      name: signer,
      role,
      key,
      publicKey,
      validFromMs: validFromDate.getTime(),
      validToMs: validToDate.getTime(),
    };
  }

  #checkIssuer(cert: X509Certificate): void {
    const issuers = this.#authorities.filter((ca) => cert.checkIssued(ca));
    if (issuers.some((ca) => cert.verify(ca.publicKey))) return;
    // An authority's own certificate does not say which key signed it: of another cluster's, only the name may be ours.
    if (issuers.length > 0 && !cert.checkIssued(cert))
      throw new RecordError('certificate', 'the certificate is forged');
    throw new RecordError('authority', 'the certificate is of another authority');
  }

  #roleOf(cert: X509Certificate, subject: Subject): Certified['role'] | undefined {
    if (nodeNameOf(subject) !== undefined) return 'node';
    const isAuthority = this.#authorities.some((ca) => ca.raw.equals(cert.raw));
    return isAuthority && subject.OU === AUTHORITY_ROLE && isNodeName(String(subject.CN))
      ? 'authority'
      : undefined;
  }

  #unfit(held: Held, signer: Certified): [RecordError['reason'], string] | undefined {
    if (held.node !== signer.name) return ['role', `signed by ${signer.name} in the name of ${held.node}`];
    const by = held.kind === 'revocation' ? 'authority' : 'node';
    if (signer.role !== by) return ['role', `a ${held.kind} is signed by a cluster's ${by} only`];
    if (held.kind !== 'revocation') return undefined;
    const { key } = held.content;
    if (this.#authorities.some((ca) => keyOf(ca) === key))
      return ['role', 'an authority is not revoked, but replaced'];
    return undefined;
  }
}

function checkLengths({ body, certificate, signature }: SignedRecord): void {
  if (body.length === 0 || body.length > MAX_BODY_BYTES)
    throw new RecordError('malformed', `a body of ${body.length} bytes`);
  if (certificate.length === 0 || certificate.length > MAX_CERTIFICATE_BYTES)
    throw new RecordError('certificate', `a certificate of ${certificate.length} bytes`);
  if (signature.length !== SIGNATURE_BYTES)
    throw new RecordError('signature', `a signature of ${signature.length} bytes`);
}

function parse(der: Uint8Array): X509Certificate {
  try {
    const cert = new X509Certificate(der);
    // Neither PEM nor anything behind the certificate.
    if (cert.raw.equals(der)) return cert;
  } catch {}
  throw new RecordError('certificate', 'the certificate is none');
}

function untimely(
  { createdMs }: Held,
  { validFromMs, validToMs }: Certified,
  nowMs: number,
): [RecordError['reason'], string] | undefined {
  const made = new Date(Math.min(createdMs, 8.64e15)).toISOString();
  if (createdMs < validFromMs - CLOCK_TOLERANCE_MS || createdMs > validToMs + CLOCK_TOLERANCE_MS)
    return ['validity', `made at ${made}, when the signer's certificate was not valid`];
  if (createdMs > nowMs + CLOCK_TOLERANCE_MS) return ['future', `made at ${made}, which is in the future`];
  return undefined;
}
