/** Short words for tar entries, and data that is the same each time. */
import type { LazyData, TarEntry } from './tar.ts';

type Rest = Omit<TarEntry, 'name' | 'type' | 'data' | 'link'>;
type Name = string | Buffer;

export const dir = (name: Name, rest: Rest = {}): TarEntry => ({ name, type: 'dir', ...rest });
export const file = (name: Name, data: Buffer | LazyData | string = '', rest: Rest = {}): TarEntry => ({
  name,
  data: typeof data === 'string' ? Buffer.from(data) : data,
  ...rest,
});
export const symlink = (name: Name, link: string, rest: Rest = {}): TarEntry => ({
  name,
  type: 'symlink',
  link,
  ...rest,
});
/** A hard link. The header of one carries a mode, an owner and times of its own, which containerd applies. */
export const hardlink = (name: Name, link: string, rest: Rest = {}): TarEntry => ({
  name,
  type: 'link',
  link,
  ...rest,
});
export const whiteout = (path: string): TarEntry => {
  const slash = path.lastIndexOf('/') + 1;
  return file(`${path.slice(0, slash)}.wh.${path.slice(slash)}`);
};
export const opaque = (folder: string): TarEntry => file(`${folder}/.wh..wh..opq`);

/** Bytes that do not compress (xorshift32), the same for the same seed. */
export function noise(sizeBytes: number, seed: number): Buffer {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4));
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return Buffer.from(words.buffer, 0, sizeBytes);
}

/** Text that compresses well, every line different. */
export function lines(sizeBytes: number, seed: number): Buffer {
  const text = Array.from({ length: Math.ceil(sizeBytes / 32) + 1 }, (_, n) =>
    `${seed}: line ${n} of a long text`.padEnd(31),
  );
  return Buffer.from(text.join('\n')).subarray(0, sizeBytes);
}

/** Large data of which a third does not compress, made 1 MiB at a time; no two pieces are the same. */
export function largeData(mebibytes: number): LazyData {
  const MIB = 1 << 20;
  const text = lines(MIB, 0);
  return {
    sizeBytes: mebibytes * MIB,
    *pieces() {
      for (let n = 0; n < mebibytes; n++) yield n % 3 === 0 ? noise(MIB, n) : stamped(text, n);
    },
  };
}

/** A copy of the text with a number in every 4 KiB of it. */
function stamped(text: Buffer, number: number): Buffer {
  const copy = Buffer.from(text);
  for (let at = 0; at < copy.length; at += 4096) copy.writeUInt32LE(number, at);
  return copy;
}
