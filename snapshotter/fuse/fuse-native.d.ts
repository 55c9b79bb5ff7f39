/** As much of fuse-native 2.2.6 as native.ts uses; the package has no types. */
declare module 'fuse-native' {
  /** 0 or a number of bytes, or a negative errno; then the result. */
  type Callback<T = never> = (code: number, result?: T) => void;

  export interface Stat {
    mtime: Date;
    atime: Date;
    ctime: Date;
    nlink: number;
    size: number;
    mode: number;
    uid: number;
    gid: number;
  }

  export interface Operations {
    readdir(path: string, answer: Callback<string[]>): void;
    getattr(path: string, answer: Callback<Stat>): void;
    open(path: string, flags: number, answer: Callback<number>): void;
    release(path: string, handle: number, answer: Callback): void;
    /** `into` is the kernel's own buffer until the answer. */
    read(
      path: string,
      handle: number,
      into: Buffer,
      sizeBytes: number,
      offset: number,
      answer: Callback,
    ): void;
  }

  export interface Options {
    /** Milliseconds; false: an operation may take as long as it likes. */
    timeout: number | false;
    fsname: string;
    subtype: string;
    defaultPermissions: boolean;
    kernelCache: boolean;
    entryTimeout: number;
    attrTimeout: number;
    maxRead: number;
  }

  export default class Fuse {
    constructor(mountPoint: string, operations: Partial<Operations>, options: Partial<Options>);
    mount(done: (error: Error | null) => void): void;
    unmount(done: (error: Error | null) => void): void;
  }
}
