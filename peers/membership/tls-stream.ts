/**
 * TLS over a libp2p stream: node:tls wants a Duplex below and gives one above, libp2p has message streams.
 *
 * What comes in is metered: a connection that brings more than gossip ever needs is read at a bounded rate, so that TCP holds
 * its sender back.
 */
import { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { AbortOptions, MessageStream } from '@libp2p/interface';
import { AbstractMessageStream, type SendResult } from '@libp2p/utils';
import type { Clock } from '../clock.ts';
import { drained } from './drained.ts';
import { INBOUND_BURST_BYTES, INBOUND_BYTES_PER_SECOND } from './limits.ts';

/** The stream that libp2p dialled or accepted, as a Duplex. */
export class StreamSocket extends Duplex {
  readonly #stream: MessageStream;

  constructor(stream: MessageStream) {
    super();
    this.#stream = stream;
    stream.addEventListener('message', ({ data }) => {
      if (!this.push(data.subarray())) ifOpen(() => stream.pause());
    });
    stream.addEventListener('remoteCloseWrite', () => this.push(null));
    stream.addEventListener('close', ({ error }) => this.destroy(error));
    // TLS above listens for errors too, but not before it begins nor after it has ended.
    this.on('error', () => {});
  }

  override _read(): void {
    ifOpen(() => this.#stream.resume());
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    try {
      if (this.#stream.send(chunk)) done();
      else drained(this.#stream).then(() => done(), done);
    } catch (error) {
      done(error as Error);
    }
  }

  override _final(done: (error?: Error) => void): void {
    this.#stream.close().then(() => done(), done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    if (error) this.#stream.abort(error);
    else this.#stream.close().catch((reason) => this.#stream.abort(reason));
    done(error);
  }
}

/** A stream that ends meanwhile throws when it is paused or resumed; its end is told by an event of its own. */
function ifOpen(action: () => void): void {
  try {
    action();
  } catch (error) {
    if ((error as Error).name !== 'StreamStateError') throw error;
  }
}

/** What TLS gives, as libp2p wants it. */
export class TlsStream extends AbstractMessageStream {
  readonly #tls: TLSSocket;
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  #budgetBytes = INBOUND_BURST_BYTES;
  #countedMs: number;
  #isHeld = false;

  constructor(tls: TLSSocket, below: MessageStream, clock: Pick<Clock, 'now' | 'after'>) {
    super({ log: below.log.newScope('tls'), direction: below.direction });
    this.#tls = tls;
    this.#clock = clock;
    this.#countedMs = clock.now();
    tls.on('data', (chunk: Buffer) => this.#receive(chunk));
    tls.on('drain', () => this.safeDispatchEvent('drain'));
    tls.on('error', (error) => this.abort(error));
    tls.on('close', () => this.onTransportClosed());
  }

  #receive(chunk: Buffer): void {
    const nowMs = this.#clock.now();
    const earned = ((nowMs - this.#countedMs) * INBOUND_BYTES_PER_SECOND) / 1000;
    this.#countedMs = nowMs;
    this.#budgetBytes = Math.min(INBOUND_BURST_BYTES, this.#budgetBytes + earned) - chunk.length;
    this.onData(chunk);
    if (this.#budgetBytes < 0) this.#hold((-this.#budgetBytes * 1000) / INBOUND_BYTES_PER_SECOND);
  }

  #hold(ms: number): void {
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#tls.pause();
    this.#clock.after(ms, () => {
      this.#isHeld = false;
      if (this.readStatus === 'readable') this.#tls.resume();
    });
  }

  override sendData(data: Parameters<AbstractMessageStream['sendData']>[0]): SendResult {
    let canSendMore = true;
    for (const part of data) canSendMore = this.#tls.write(part);
    return { sentBytes: data.byteLength, canSendMore };
  }

  override sendReset(): void {
    this.#tls.destroy();
  }

  override sendPause(): void {
    this.#tls.pause();
  }

  override sendResume(): void {
    if (!this.#isHeld) this.#tls.resume();
  }

  override async close(options?: AbortOptions): Promise<void> {
    if (this.status !== 'open') return;
    this.status = 'closing';
    this.writeStatus = 'closing';
    const { promise, resolve } = Promise.withResolvers<void>();
    options?.signal?.addEventListener('abort', () => resolve());
    this.#tls.end(resolve);
    await promise;
    this.onTransportClosed();
  }
}
