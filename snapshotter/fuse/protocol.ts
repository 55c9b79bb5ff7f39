/**
 * Numbers of the kernel's FUSE protocol, from linux/fuse.h (7.31 to 7.45; all little endian here) and errno(3).
 * Only what a read-only file system needs.
 */

/** The version spoken, and the oldest minor of it that the kernel may have. */
export const PROTOCOL = { major: 7, minor: 38, oldestMinor: 31 } as const;

export const OPCODE = {
  LOOKUP: 1,
  FORGET: 2,
  GETATTR: 3,
  OPEN: 14,
  READ: 15,
  STATFS: 17,
  RELEASE: 18,
  FLUSH: 25,
  INIT: 26,
  OPENDIR: 27,
  READDIR: 28,
  RELEASEDIR: 29,
  INTERRUPT: 36,
  DESTROY: 38,
  BATCH_FORGET: 42,
} as const;

/** Flags of INIT that we ask for, when the kernel has them. */
export const INIT_FLAG = {
  /** Several reads of one file may be under way. */
  ASYNC_READ: 1 << 0,
  /** Lookups and listings in one folder run side by side. */
  PARALLEL_DIROPS: 1 << 18,
  /** A request may have more than 32 pages: `max_pages` of the answer counts. */
  MAX_PAGES: 1 << 22,
} as const;

/** The part of open(2)'s flags that says what for; 0 is reading. */
export const O_ACCMODE = 3;

/** Flags of OPEN's answer. */
export const OPEN_FLAG = {
  /** The page cache outlives the open: files never change. */
  KEEP_CACHE: 1 << 1,
  /** No FLUSH at close. */
  NOFLUSH: 1 << 5,
} as const;

/** Codes of messages that the server sends unasked; they go in the error field, with unique 0. */
export const NOTIFY = {
  /** The kernel sends again all that a server before us has read and not answered (Linux >= 6.9). */
  RESEND: 7,
} as const;

/** Set in the number of a request that the kernel sends again. */
export const RESENT_BIT = 1n << 63n;

export const IN_HEADER_BYTES = 40;
export const OUT_HEADER_BYTES = 16;
/** The longest request that is not a write: a header, an argument and two names. The kernel wants a buffer of 8 KiB at least. */
export const REQUEST_BYTES_MAX = 16 * 1024;
/** The longest read: 256 pages, the kernel's bound unless fs.fuse.max_pages_limit is raised. */
export const READ_PAGES_MAX = 256;
export const READ_BYTES_MAX = READ_PAGES_MAX * 4096;

/** The folder's node id; 0 is none. */
export const ROOT_NODE = 1;

export const ERRNO = {
  ENOENT: 2,
  EINTR: 4,
  EIO: 5,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  ENOSYS: 38,
  EPROTO: 71,
  ESTALE: 116,
} as const;

/** Types of folder entries (d_type) and file modes. */
export const DT_REG = 8;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
