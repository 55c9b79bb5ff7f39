/**
 * Making records. What is signed is a fixed prefix and the body's bytes: a signature over a record is one over nothing else
 * that the same key signs (TLS handshakes, libp2p messages).
 */
import { createPrivateKey, hash, sign, webcrypto, X509Certificate } from 'node:crypto';
import type { Authority } from '../identity/authority.ts';
import type { Identity } from '../identity/identity.ts';
import { keyOf } from '../identity/keys.ts';
import { encodeBody } from './body.ts';
import type { RecordId, Revocation, SignedRecord, Signer, SignerKey, Statement } from './types.ts';

const PREFIX = Buffer.from('forage directory record v1\0', 'latin1');

export function signedBytes(body: Uint8Array): Buffer {
  return Buffer.concat([PREFIX, body]);
}

export function recordIdOf(body: Uint8Array, key: SignerKey): RecordId {
  return hash('sha256', Buffer.concat([body, Buffer.from(key, 'hex')]), 'hex');
}

/** Throws TypeError when the identity's key is no Ed25519 key. */
export function nodeSigner({ name, cert, key }: Identity): Signer {
  const privateKey = createPrivateKey(key);
  const signBytes = async (bytes: Uint8Array) => sign(null, bytes, privateKey);
  return signerOf(name, new X509Certificate(cert), signBytes);
}

/** Signs revocations. The authority's key is in the hands of `forage cluster` only. */
export function authoritySigner({ cert, key }: Authority): Signer {
  const certificate = new X509Certificate(cert.toString('pem'));
  const { CN } = certificate.toLegacyObject().subject as { CN?: string };
  return signerOf(
    CN ?? '',
    certificate,
    async (bytes) => new Uint8Array(await webcrypto.subtle.sign('Ed25519', key, bytes)),
  );
}

/** What a revocation of this node's certificate (PEM or DER) says: it holds for all certificates of the same key. */
export function revocationOf(certificate: Uint8Array | string): Revocation {
  const cert = new X509Certificate(certificate);
  const { CN } = cert.toLegacyObject().subject as { CN?: string };
  const key = keyOf(cert);
  if (key === undefined) throw new TypeError('a certificate whose key is no Ed25519 key');
  return { key, node: CN ?? '' };
}

function signerOf(name: string, certificate: X509Certificate, signBytes: Signer['sign']): Signer {
  const key = keyOf(certificate);
  if (key === undefined) throw new TypeError(`the key of ${name} is no Ed25519 key`);
  return { name, key, certificate: certificate.raw, sign: signBytes };
}

/** Throws RecordError for what no node would take. */
export async function signRecord(signer: Signer, statement: Statement): Promise<SignedRecord> {
  const body = encodeBody(statement);
  return { body, certificate: signer.certificate, signature: await signer.sign(signedBytes(body)) };
}
