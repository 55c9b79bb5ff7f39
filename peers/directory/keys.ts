/**
 * What records are found by. A key is a byte that says what it names, and the sha256 of the name. The keys of a record follow
 * from the record alone, so they are known again when it is removed.
 */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Contents, Held, IndexKey, Kind, SignerKey } from './types.ts';

/** Values are part of what is on disk. */
export const TAGS = {
  /** All records of a signer. */
  signer: 1,
  /** All records of a kind; for removals and revocations only. */
  kind: 2,
  /** What one signer says of one thing: at most one record, its newest. */
  subject: 3,
  layerByChain: 4,
  layerByDiff: 5,
  refByImage: 6,
  /** Refs of images that have this layer. */
  refByChain: 7,
  checkpoint: 8,
  /** Removals, by what they end. */
  endsRecord: 9,
  endsChain: 10,
  endsImage: 11,
  /** Checkpoints that say this record again. */
  repeats: 12,
} as const;

/** Names come again and again: a signer with each of its records, a layer with each question. */
const known = new LRUCache<string, IndexKey>({ max: 4096 });

/** Shared: not to be changed. */
export function indexKey(tag: keyof typeof TAGS, name: string): IndexKey {
  const what = `${tag} ${name}`;
  const before = known.get(what);
  if (before) return before;
  const key = Buffer.alloc(33, TAGS[tag]);
  key.set(hash('sha256', name, 'buffer'), 1);
  known.set(what, key);
  return key;
}

/** What the signer speaks of; undefined for removals, which do not replace each other. */
export function subjectKey<K extends Kind>(
  signer: SignerKey,
  kind: K,
  content: Contents[K],
): IndexKey | undefined {
  const name = subjectOf({ kind, content } as Pick<Held, 'kind' | 'content'>);
  return name === undefined ? undefined : indexKey('subject', `${signer} ${kind} ${name}`);
}

function subjectOf(held: Pick<Held, 'kind' | 'content'>): string | undefined {
  const { kind, content } = held as Held;
  switch (kind) {
    case 'layer':
      return content.chainId;
    case 'checkpoint':
      return content.id;
    case 'ref':
      return content.image;
    case 'revocation':
      return content.key;
    case 'removal':
      return undefined;
  }
}

export function keysOf(held: Held): IndexKey[] {
  const subject = subjectKey(held.signer, held.kind, held.content);
  const common = [indexKey('signer', held.signer), ...(subject ? [subject] : [])];
  return [...common, ...ownKeys(held)];
}

function ownKeys({ kind, content }: Held): IndexKey[] {
  switch (kind) {
    case 'layer': {
      const byChain = indexKey('layerByChain', content.chainId);
      return content.diffId === '' ? [byChain] : [byChain, indexKey('layerByDiff', content.diffId)];
    }
    case 'checkpoint': {
      const byName = indexKey('checkpoint', content.id);
      return content.repeats === undefined ? [byName] : [byName, indexKey('repeats', content.repeats)];
    }
    case 'ref':
      return [
        indexKey('refByImage', content.image),
        ...distinct(content.chainIds).map((chainId) => indexKey('refByChain', chainId)),
      ];
    case 'removal':
      return [
        indexKey('kind', kind),
        ...(content.image === '' ? [] : [indexKey('endsImage', content.image)]),
        ...distinct(content.chainIds).map((chainId) => indexKey('endsChain', chainId)),
        ...distinct(content.recordIds).map((id) => indexKey('endsRecord', id)),
      ];
    case 'revocation':
      return [indexKey('kind', kind)];
  }
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)];
}
