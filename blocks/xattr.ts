/** Extended attributes of a file itself (a symlink is not followed), which Node cannot read. Synchronous: only the ingest child calls it. */
import koffi from 'koffi';
import { SyscallError } from './libc.ts';

const libc = koffi.load('libc.so.6');
const llistxattr = libc.func('int64_t llistxattr(const uint8_t *path, uint8_t *list, size_t size)');
const lgetxattr = libc.func(
  'int64_t lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)',
);

/** The kernel's XATTR_LIST_MAX and XATTR_SIZE_MAX. */
const buffer = Buffer.alloc(65_536);
const { ENODATA, ENOTSUP } = { ENODATA: 61, ENOTSUP: 95 };

/** Names in latin1. Throws `SyscallError`. */
export function xattrsOf(path: Buffer): Map<string, Buffer> {
  const pathZ = terminated(path);
  const length = Number(llistxattr(pathZ, buffer, buffer.length));
  const found = new Map<string, Buffer>();
  if (length === -1) {
    if (koffi.errno() === ENOTSUP) return found;
    throw new SyscallError('llistxattr', koffi.errno(), path.toString());
  }
  const names = buffer.toString('latin1', 0, length).split('\0').filter(Boolean);
  for (const name of names) {
    const size = Number(lgetxattr(pathZ, terminated(Buffer.from(name, 'latin1')), buffer, buffer.length));
    if (size >= 0) found.set(name, Buffer.from(buffer.subarray(0, size)));
    else if (koffi.errno() !== ENODATA)
      throw new SyscallError('lgetxattr', koffi.errno(), `${name} of ${path}`);
  }
  return found;
}

function terminated(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(1)]);
}
