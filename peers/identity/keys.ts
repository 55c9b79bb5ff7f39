/** A node's key as it is named in records: whoever has the key is the node, whatever certificate it shows. */
import type { X509Certificate } from 'node:crypto';

/** An Ed25519 public key: 64 hex digits. */
export type NodeKey = string;

/** True for what is no node any more. Asked anew at each use, so that it may change. */
export type IsRevoked = (node: { name: string; key: NodeKey }) => boolean;

const KEY_BYTES = 32;

/** The certificate's public key; undefined when it is no Ed25519 key. To be asked of certificates whose signature is good only. */
export function keyOf({ publicKey }: X509Certificate): NodeKey | undefined {
  if (publicKey.asymmetricKeyType !== 'ed25519') return undefined;
  // The structure around an Ed25519 key has one form, and ends in the key.
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-KEY_BYTES).toString('hex');
}
