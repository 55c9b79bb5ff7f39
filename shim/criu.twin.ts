/**
 * What CRIU's restore does with memory that it leaves for later, and a program to whom it happens: `node criu.twin.ts WORK ADDRESS PAGES` hands
 * over that memory, says so in `$BED/handed`, waits for `$BED/touch`, and writes the first words of its pages down in `$BED/touched`.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import { PAGE_BYTES } from '../blocks/types.ts';
import { LAZY_SOCKET } from './lazy-socket.ts';
import { RestoredTwin } from './restored.twin.ts';

const FINISHED = 0x52535446;

const libc = koffi.load('libc.so.6');
const calls = {
  socket: libc.func('int socket(int family, int type, int protocol)'),
  connect: libc.func('int connect(int fd, const void *address, unsigned int length)'),
  send: libc.func('long send(int fd, const void *bytes, size_t length, int flags)'),
  sendmsg: libc.func('long sendmsg(int fd, msghdr *message, int flags)'),
};

/** A connection to the socket in that folder. */
export class CriuTwin {
  readonly #fd: number;

  constructor(folder: string) {
    this.#fd = calls.socket(1, 1, 0);
    const address = Buffer.from(`\0\0${join(folder, LAZY_SOCKET)}\0`);
    address.writeUInt16LE(1, 0);
    if (calls.connect(this.#fd, address, address.length) === -1) throw new Error('nobody listens');
  }

  /** Without a descriptor: of a process that has ended. */
  hand(pid: number, uffd?: number): void {
    const word = Buffer.alloc(4);
    word.writeInt32LE(uffd === undefined ? -pid : pid);
    calls.send(this.#fd, word, 4, 0);
    if (uffd === undefined) return;
    const control = Buffer.alloc(24);
    control.writeBigUInt64LE(20n, 0);
    control.writeInt32LE(1, 8);
    control.writeInt32LE(1, 12);
    control.writeInt32LE(uffd, 16);
    const vectors = [{ base: Buffer.alloc(1), bytes: 1 }];
    const message = {
      name: null,
      nameBytes: 0,
      vectors,
      vectorCount: 1,
      control,
      controlBytes: 20,
      flags: 0,
    };
    calls.sendmsg(this.#fd, message, 0);
  }

  finish(): void {
    const word = Buffer.alloc(4);
    word.writeUInt32LE(FINISHED);
    calls.send(this.#fd, word, 4, 0);
  }
}

async function program(work: string, at: number, pages: number): Promise<void> {
  const bed = process.env.BED!;
  const memory = new RestoredTwin();
  memory.map(pages, { at });
  const criu = new CriuTwin(work);
  criu.hand(1, memory.uffd);
  criu.finish();
  memory.close();
  writeFileSync(join(bed, 'handed'), '');
  while (!existsSync(join(bed, 'touch'))) await sleep(5);
  const words: number[] = [];
  for (let page = pages - 1; page >= 0; page--) words.push(await memory.touch(at + page * PAGE_BYTES));
  writeFileSync(join(bed, 'touched'), words.join(' '));
  for (;;) await sleep(1000);
}

if (import.meta.main) {
  const [work = '', at, pages] = process.argv.slice(2);
  await program(work, Number(at), Number(pages));
}
