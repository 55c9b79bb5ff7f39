/**
 * The certificates of nodes, as libp2p and announcements need them: name and libp2p peer id both come from the certificate,
 * so neither can be claimed. A certificate is checked (authority, dates, role, revocation) before anything is done with it.
 */
import { createPrivateKey, hash, type KeyObject, X509Certificate } from 'node:crypto';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock.ts';
import { authoritiesOf, type Identity } from '../identity/identity.ts';
import { type IsRevoked, keyOf, type NodeKey } from '../identity/keys.ts';
import { nodeNameOf, type Subject } from '../identity/names.ts';
import { MAX_CERTIFICATE_BYTES, MAX_MEMBERS } from './limits.ts';

/** Somebody is not let in, or not believed. The message says why and goes to the log. */
export class RefusedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RefusedError';
  }
}

export interface NodeCertificate {
  name: string;
  /** sha256 of the certificate, lower-case hex. */
  fingerprint: string;
  key: NodeKey;
  peerId: PeerId;
  publicKey: KeyObject;
  validFromMs: number;
  validToMs: number;
}

export interface CertificatesOptions {
  identity: Identity;
  isRevoked: IsRevoked;
  clock: Pick<Clock, 'wall'>;
}

export class Certificates {
  readonly #authorities: X509Certificate[];
  readonly #isRevoked: IsRevoked;
  readonly #clock: Pick<Clock, 'wall'>;
  /** By fingerprint: those whose signature has been checked. */
  readonly #issued = new LRUCache<string, NodeCertificate>({ max: MAX_MEMBERS });
  /** By peer id: the one that was shown last. */
  readonly #shown = new LRUCache<string, NodeCertificate>({ max: MAX_MEMBERS });

  constructor({ identity, isRevoked, clock }: CertificatesOptions) {
    this.#authorities = authoritiesOf(identity.ca);
    this.#isRevoked = isRevoked;
    this.#clock = clock;
  }

  /** A certificate in DER, of whoever. Throws RefusedError. */
  check(der: Uint8Array): NodeCertificate {
    const fingerprint = hash('sha256', der, 'hex');
    const known = this.#issued.get(fingerprint);
    const node = known ?? this.#issuedTo(der, fingerprint);
    this.admit(node);
    if (!known) this.#issued.set(fingerprint, node);
    this.#shown.set(node.peerId.toString(), node);
    return node;
  }

  /** The certificate that was shown last for this peer id, good or not any more. */
  shownBy(peerId: string): NodeCertificate | undefined {
    return this.#shown.get(peerId);
  }

  /** The node with this peer id, if its certificate has been seen and is still good. */
  nodeOf(peerId: string): NodeCertificate | undefined {
    const node = this.shownBy(peerId);
    try {
      if (node) this.admit(node);
      return node;
    } catch {
      return undefined;
    }
  }

  /** What may change after a certificate was checked: its time is over, or it is revoked. Throws RefusedError. */
  admit({ name, key, validFromMs, validToMs }: NodeCertificate): void {
    const nowMs = this.#clock.wall();
    if (nowMs > validToMs) throw new RefusedError(`the certificate of ${name} has expired`);
    if (nowMs < validFromMs) throw new RefusedError(`the certificate of ${name} is not valid yet`);
    if (this.#isRevoked({ name, key })) throw new RefusedError(`${name} is revoked`);
  }

  #issuedTo(der: Uint8Array, fingerprint: string): NodeCertificate {
    if (der.length > MAX_CERTIFICATE_BYTES) throw new RefusedError(`a certificate of ${der.length} bytes`);
    const cert = parse(der);
    // Nothing else is asked of a certificate before its signature is good: toLegacyObject() of a malformed one ends the process.
    if (!this.#authorities.some((ca) => cert.checkIssued(ca) && cert.verify(ca.publicKey))) {
      throw new RefusedError('the certificate is not of this cluster');
    }
    const name = nodeNameOf(cert.toLegacyObject().subject as Subject);
    if (name === undefined) throw new RefusedError('the certificate is for no node');
    const { publicKey } = cert;
    const key = keyOf(cert);
    if (key === undefined) {
      throw new RefusedError(`the key of ${name} is ${publicKey.asymmetricKeyType}, not Ed25519`);
    }
    return {
      name,
      fingerprint,
      key,
      peerId: peerIdFromPublicKey(publicKeyFromRaw(rawOf(publicKey).x)),
      publicKey,
      validFromMs: cert.validFromDate.getTime(),
      validToMs: cert.validToDate.getTime(),
    };
  }
}

function parse(der: Uint8Array): X509Certificate {
  try {
    return new X509Certificate(der);
  } catch {
    throw new RefusedError('not a certificate');
  }
}

/** This node's own key, in the two forms that are needed, and its certificate in DER. */
export interface OwnKey {
  signing: KeyObject;
  libp2p: PrivateKey;
  certificate: Buffer;
}

export function ownKey(identity: Identity): OwnKey {
  const signing = createPrivateKey(identity.key);
  const { d, x } = rawOf(signing);
  return {
    signing,
    libp2p: privateKeyFromRaw(Buffer.concat([d, x])),
    certificate: new X509Certificate(identity.cert).raw,
  };
}

function rawOf(key: KeyObject): { d: Buffer; x: Buffer } {
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  return { d: Buffer.from(d, 'base64url'), x: Buffer.from(x, 'base64url') };
}
