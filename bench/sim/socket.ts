/**
 * A TCP connection over the virtual network, as the code that serves and asks for blocks sees one: two ends, each with what that code uses of
 * a `TLSSocket`. Bytes are carried by reference and never copied, so whoever writes them must not change them.
 *
 * Connections take turns on a machine's uplink, a piece each, as TCP shares it; what is too much for the other machine's downlink waits
 * where it is, since a switch keeps little. There is no slow start, no handshake and no loss.
 */
import { EventEmitter } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { BLOCKS_PROTOCOL } from '../../peers/exchange/frames.ts';
import type { Network, Port } from './network.ts';

/** What a connection sends in its turn, of its link's time, and at least and at most in bytes: coarse turns would be silences. */
const PIECE_MS = 2;
const PIECE_MIN_BYTES = 4 * 1024;
const PIECE_MAX_BYTES = 64 * 1024;
/** Fits in a packet; such a one comes between the packets of others. */
const SHORT_BYTES = 1300;
/** What the kernel takes from a process ahead of the network. */
const SEND_BUFFER_BYTES = 512 * 1024;
/** Sent and not confirmed: Linux goes no further on its own. */
const WINDOW_BYTES = 4 << 20;
/** What may stand before a downlink in the network's middle. */
const SWITCH_MS = 5;

type Heard = (length: number, chunk: Uint8Array) => boolean;

/** Just what is used of a socket. */
class End extends EventEmitter {
  readonly alpnProtocol = BLOCKS_PROTOCOL;
  destroyed = false;
  /** Absent: listeners of `data` are told. */
  heard: Heard | undefined;
  other!: End;
  readonly #network: Network;
  readonly #port: Port;
  readonly #to: Port;
  /** Written and not sent. */
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #sentBytes = 0;
  #isCorked = false;
  #isInLine = false;
  #mustDrain = false;
  /** On the way to the other end, in order: the network lets what is short overtake what is long. */
  readonly #onTheWay: { piece: Uint8Array[]; isThere: boolean }[] = [];
  /** Come and not taken yet. */
  readonly #come: Uint8Array[] = [];
  #isPaused = false;

  constructor(network: Network, port: Port, to: Port) {
    super();
    this.#network = network;
    this.#port = port;
    this.#to = to;
  }

  /** What the kernel has not taken. */
  get writableLength(): number {
    return Math.max(0, this.#queuedBytes - SEND_BUFFER_BYTES);
  }

  write(chunk: Uint8Array): boolean {
    if (this.destroyed) return false;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    const isFull = this.writableLength > 0;
    this.#mustDrain ||= isFull;
    if (!this.#isCorked) this.#pump();
    return !isFull;
  }

  cork(): void {
    this.#isCorked = true;
  }

  uncork(): void {
    this.#isCorked = false;
    this.#pump();
  }

  setNoDelay(): void {}
  setKeepAlive(): void {}

  resume(): void {
    this.#isPaused = false;
    this.#give();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#network.send(this.#port, this.#to, 0, () => this.other.destroy());
    process.nextTick(() => this.emit('close'));
  }

  #pump(): void {
    if (this.#isInLine || this.#queuedBytes === 0 || this.#sentBytes >= WINDOW_BYTES) return;
    if (this.#queuedBytes <= SHORT_BYTES && this.#sentBytes === 0) {
      this.#send();
      return;
    }
    this.#isInLine = true;
    this.#network.whenFree(this.#port, () => this.#turn());
  }

  #turn(): void {
    const { time } = this.#network;
    const fullMs = this.#network.backlogMs(this.#to) - SWITCH_MS;
    if (fullMs > 0) {
      time.after(fullMs, () => this.#network.whenFree(this.#port, () => this.#turn()), true);
      return;
    }
    this.#isInLine = false;
    this.#send();
    this.#pump();
  }

  #send(): void {
    const { time } = this.#network;
    const piece = this.#take();
    const bytes = piece.reduce((sum, { length }) => sum + length, 0);
    if (bytes === 0) return;
    this.#queuedBytes -= bytes;
    this.#sentBytes += bytes;
    const sent = { piece, isThere: false };
    this.#onTheWay.push(sent);
    this.#network.send(this.#port, this.#to, bytes, () => {
      sent.isThere = true;
      while (this.#onTheWay[0]?.isThere) this.other.#arrived(this.#onTheWay.shift()!.piece);
      time.after(this.#network.latencyMs(this.#to, this.#port), () => this.#confirmed(bytes), true);
    });
    if (this.#mustDrain && this.writableLength === 0) {
      this.#mustDrain = false;
      time.after(0, () => this.emit('drain'));
    }
  }

  get #pieceBytes(): number {
    const bytes = Math.floor((this.#port.upBytesPerSecond * PIECE_MS) / 1000);
    return Math.min(Math.max(bytes, PIECE_MIN_BYTES), PIECE_MAX_BYTES);
  }

  #take(): Uint8Array[] {
    const piece: Uint8Array[] = [];
    for (let room = this.#pieceBytes; room > 0 && this.#queue.length > 0; ) {
      const first = this.#queue[0]!;
      const part = first.subarray(0, room);
      piece.push(part);
      room -= part.length;
      if (part.length === first.length) this.#queue.shift();
      else this.#queue[0] = first.subarray(part.length);
    }
    return piece;
  }

  #confirmed(bytes: number): void {
    this.#sentBytes -= bytes;
    this.#pump();
  }

  #arrived(piece: readonly Uint8Array[]): void {
    this.#come.push(...piece);
    this.#give();
  }

  #give(): void {
    while (!this.#isPaused && !this.destroyed && this.#come.length > 0) {
      const chunk = this.#come.shift()!;
      if (this.heard) this.#isPaused = !this.heard(chunk.length, chunk);
      else this.emit('data', chunk);
    }
  }
}

/** Both ends of a new connection: of who has made it, where `heard` is given what comes, and of who was called. */
export function connection(
  network: Network,
  from: Port,
  to: Port,
  heard: Heard,
): { near: TLSSocket; far: TLSSocket } {
  const [near, far] = [new End(network, from, to), new End(network, to, from)];
  [near.other, far.other, near.heard] = [far, near, heard];
  return { near: near as unknown as TLSSocket, far: far as unknown as TLSSocket };
}
