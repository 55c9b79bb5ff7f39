/**
 * Finds small objects of images by their digests. The directory has no index for that, so the names of the images whose
 * refs name a digest are kept here: read from the whole directory when one is asked for that is not known, followed from then on.
 * They are hints only: what is answered comes from refs that count now, so a removal needs no care.
 *
 * Memory is bounded: of more digests than MAX_DIGESTS the ones asked for or added last are kept, of more names for one digest the
 * last. What falls out is not found by digest until a ref that names it is added, or asked for by name (`touch`).
 */
import { LRUCache } from 'lru-cache';
import type { Directory } from '../peers/directory/directory.ts';
import { RECORDS_PER_TURN } from '../peers/directory/limits.ts';
import type { Digest, Held, Ref, StoredObject } from '../peers/directory/types.ts';
import { inTurns } from '../peers/turns.ts';
import { objectsOf } from './image-refs-object.ts';

/** Some 300 bytes each. */
const MAX_DIGESTS = 16_384;
const MAX_NAMES = 8;

export interface DigestLookup {
  /** What the refs that count say of an object with this digest: the same once, whoever said it. */
  byDigest(digest: Digest): Promise<StoredObject[]>;
  /** Its objects are likely to be asked for next. */
  touch(ref: Ref): void;
  close(): void;
}

export function createDigestLookup(
  directory: Pick<Directory, 'counting' | 'onAdd' | 'refs'>,
  maxDigests = MAX_DIGESTS,
): DigestLookup {
  const images = new LRUCache<Digest, readonly string[]>({ max: maxDigests });
  /** Resolves once the whole directory was read; undefined before that was needed. */
  let reading: Promise<void> | undefined;
  let closed = false;

  function touch(ref: Ref): void {
    for (const { digest } of objectsOf(ref)) {
      const others = (images.get(digest) ?? []).filter((image) => image !== ref.image);
      images.set(digest, [ref.image, ...others].slice(0, MAX_NAMES));
    }
  }

  function find(digest: Digest): StoredObject[] {
    const found = new Map<string, StoredObject>();
    for (const image of images.get(digest) ?? []) {
      const objects = directory.refs(image).flatMap(({ content }) => objectsOf(content));
      for (const object of objects) if (object.digest === digest) found.set(JSON.stringify(object), object);
    }
    return [...found.values()];
  }

  async function readAll(): Promise<void> {
    for await (const held of inTurns(directory.counting(), RECORDS_PER_TURN)) {
      if (closed) return;
      if (held.kind === 'ref') touch(held.content);
    }
  }

  function added({ kind, content }: Held): void {
    if (reading === undefined) return;
    if (kind === 'ref') touch(content as Ref);
    // It ends the removals of whom it revokes, so refs may count again that did not when the directory was read.
    if (kind === 'revocation') reading = undefined;
  }

  const endListening = directory.onAdd(added);

  return {
    async byDigest(digest) {
      const found = find(digest);
      if (found.length > 0) return found;
      reading ??= readAll().catch((error: unknown) => {
        reading = undefined;
        throw error;
      });
      await reading;
      return find(digest);
    },
    touch,
    close() {
      closed = true;
      endListening();
    },
  };
}
