/**
 * The transport that speaks the kernel's own protocol: reads a request, answers it, reads the next. A read whose blocks
 * are here is one pread(2) a block into the answer and one write(2); a read that must wait is put aside.
 *
 * The mount and its descriptor outlive this process (holder.sh). A fresh server asks the kernel for all that its
 * predecessor left unanswered and goes on: no handle, no node id and no cache of a predecessor means anything to it.
 */
import { BadRequestError, decodeHeader, type ReadRequest, type RequestHeader } from './decode.ts';
import { Device } from './device.ts';
import { encodeHeader } from './encode.ts';
import { KillWatch } from './killed.ts';
import { OPS, type Outcome, type Session, UNANSWERED } from './ops.ts';
import { ERRNO, NOTIFY, OUT_HEADER_BYTES, READ_BYTES_MAX, RESENT_BIT } from './protocol.ts';
import type { Ending, Log, Transport } from './types.ts';
import type { Volume, VolumeFiles } from './volume-files.ts';
import type { WaitingReads } from './waiting-reads.ts';

/**
 * A server that is killed may be slow to die and take one more request with it after its successor has asked for all.
 * So the successor asks once more.
 */
const RESEND_AGAIN_MS = 2000;

export interface KernelTransportOptions {
  /** /dev/fuse, mounted. */
  fd: number;
  files: VolumeFiles;
  waiting: WaitingReads;
  log: Log;
}

/** Sends answers: the device, or a test in its place. */
export type Send = (bytes: Buffer, sizeBytes: number) => boolean;

/** Answers requests; knows nothing of descriptors. */
export class KernelSession implements Session {
  readonly files: VolumeFiles;
  readonly reply = Buffer.allocUnsafeSlow(OUT_HEADER_BYTES + READ_BYTES_MAX);
  readonly #waiting: WaitingReads;
  readonly #log: Log;
  readonly #send: Send;
  readonly #killWatch = new KillWatch();
  /** Reads put aside, by the number of their request. */
  readonly #aside = new Map<bigint, { pid: number; giveUp: () => void }>();

  constructor({ files, waiting, log }: Omit<KernelTransportOptions, 'fd'>, send: Send) {
    this.files = files;
    this.#waiting = waiting;
    this.#log = log;
    this.#send = send;
  }

  /** `bytes` is one request, as read from /dev/fuse. */
  receive(bytes: Buffer): void {
    let header: RequestHeader;
    try {
      header = decodeHeader(bytes);
    } catch (error) {
      this.#log.error((error as Error).message);
      return;
    }
    const outcome = this.#run(header, bytes);
    if (outcome !== undefined && !UNANSWERED.has(header.opcode)) this.#answer(header.unique, outcome);
  }

  /** Asks the kernel to send again what was read and not answered by a server before this one. */
  resend(): void {
    try {
      this.#send(this.reply, encodeHeader(this.reply, 0n, NOTIFY.RESEND, 0));
    } catch (error) {
      this.#log.warning(`this kernel cannot resend (it takes Linux 6.9): ${(error as Error).message}`);
    }
  }

  read(header: RequestHeader, { offset, sizeBytes }: ReadRequest): Outcome {
    const volume = this.files.byNodeId(header.nodeId);
    if (volume === undefined) return -ERRNO.ESTALE;
    return this.#readOrWait(header, volume, offset, sizeBytes);
  }

  interrupt(unique: bigint): void {
    const aside = this.#aside.get(unique);
    if (aside === undefined) return;
    this.#killWatch.watch(unique, aside.pid, () => {
      aside.giveUp();
      this.#aside.delete(unique);
      this.#answer(unique, -ERRNO.EINTR);
    });
  }

  #run(header: RequestHeader, bytes: Buffer): Outcome {
    const op = OPS.get(header.opcode);
    if (op === undefined) return -ERRNO.ENOSYS;
    try {
      return op.run(this, header, bytes);
    } catch (error) {
      this.#log.error(`${op.name}: ${(error as Error).message}`);
      return error instanceof BadRequestError ? -ERRNO.EINVAL : -ERRNO.EIO;
    }
  }

  #readOrWait(header: RequestHeader, volume: Volume, offset: number, sizeBytes: number): Outcome {
    const result = this.files.read(volume, offset, sizeBytes, this.reply, OUT_HEADER_BYTES);
    if (typeof result === 'number') return result;
    const { unique, pid } = header;
    this.#forgetResent(unique);
    const giveUp = this.#waiting.wait(volume.root, result, (failure) => {
      this.#aside.delete(unique);
      this.#killWatch.unwatch(unique);
      const outcome = failure === undefined ? this.#again(header, volume, offset, sizeBytes) : -ERRNO.EIO;
      if (failure !== undefined) this.#log.error(`a read of volume ${volume.root} fails: ${failure}`);
      if (outcome !== undefined) this.#answer(unique, outcome);
    });
    this.#aside.set(unique, { pid, giveUp });
    return undefined;
  }

  /** A request that was sent again has a new number; nobody waits for an answer to the old one. */
  #forgetResent(unique: bigint): void {
    for (const former of new Set([unique, unique & ~RESENT_BIT])) {
      this.#aside.get(former)?.giveUp();
      this.#aside.delete(former);
      this.#killWatch.unwatch(former);
    }
  }

  /** The blocks came; should one be gone again, the read waits again. */
  #again(header: RequestHeader, volume: Volume, offset: number, sizeBytes: number): Outcome {
    try {
      return this.#readOrWait(header, volume, offset, sizeBytes);
    } catch (error) {
      this.#log.error(`READ: ${(error as Error).message}`);
      return -ERRNO.EIO;
    }
  }

  #answer(unique: bigint, outcome: number): void {
    const [error, bodyBytes] = outcome < 0 ? [outcome, 0] : [0, outcome];
    try {
      this.#send(this.reply, encodeHeader(this.reply, unique, error, bodyBytes));
    } catch (failure) {
      this.#log.error(`the kernel refuses an answer: ${(failure as Error).message}`);
    }
  }
}

export class KernelTransport implements Transport {
  readonly #options: KernelTransportOptions;
  #device: Device | undefined;

  constructor(options: KernelTransportOptions) {
    this.#options = options;
  }

  serve(): Promise<Ending> {
    const session = new KernelSession(this.#options, (bytes, sizeBytes) => device.send(bytes, sizeBytes));
    const device = new Device(this.#options.fd, (request) => session.receive(request));
    this.#device = device;
    session.resend();
    setTimeout(() => session.resend(), RESEND_AGAIN_MS).unref();
    return device.ended;
  }

  stop(): void {
    this.#device?.close();
  }
}
