/**
 * The connection to one neighbour: knocks until it answers, keeps a channel to it, doubts it within a second of silence while
 * something is asked of it, gives it up when it stays silent, and begins again. Other files ask a link for its client and tell it what they
 * see; they never wait for it.
 */
import { type ServiceError, status } from '@grpc/grpc-js';
import type { Clock } from './clock.ts';
import { PeerClient } from './exchange/client.ts';
import { type ClientTls, knock } from './exchange/tls.ts';
import { Meter } from './meter.ts';
import type { Log } from './types.ts';

export type LinkState =
  /** Has not been tried to the end yet. */
  | { kind: 'unknown' }
  /** Knocked at again and again. */
  | { kind: 'down'; reason: string }
  | { kind: 'up'; client: PeerClient };

const CONNECT_TIMEOUT_MS = 2000;
const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 2000;
/** Between proofs of life: while something is asked of it, and otherwise. */
const HEARTBEAT_BUSY_MS = 1000;
const HEARTBEAT_IDLE_MS = 5000;
/** Silent for so long it is doubted; given up only after the second time, since a busy node is not a dead one. */
const DOUBT_AFTER_MS = 600;
const GIVE_UP_AFTER_MS = 1500;
const PENALTY_MS = 10_000;

export interface LinkOptions {
  /** Who is expected there: another node's certificate is a failure. */
  name: string;
  /** `host:port` of its peer service. */
  address: string;
  tls: ClientTls;
  clock: Clock;
  log: Log;
  /** After each change of `state`. */
  onChange: () => void;
}

export class Link {
  readonly name: string;
  readonly address: string;
  state: LinkState = { kind: 'unknown' };
  readonly meter = new Meter();
  /** Bytes asked of it and not here yet. */
  readonly inFlight = { demand: 0, background: 0 };
  calls = 0;
  /** It has sent something wrong: asked only when nobody else is left, until then (milliseconds of the monotonic clock). */
  penalizedUntilMs = 0;
  /** It has asked to be left alone until then. */
  busyUntilMs = 0;
  /** It owes an answer: nothing is asked of it that others can give. */
  isDoubtful = false;
  readonly #options: LinkOptions;
  readonly #stop = new AbortController();
  #heardMs = 0;
  #nudge: (reason?: Error) => void = () => {};

  constructor(options: LinkOptions) {
    this.name = options.name;
    this.address = options.address;
    this.#options = options;
  }

  start(): void {
    this.#run().catch((error: unknown) => {
      if (!this.#stop.signal.aborted)
        this.#options.log.error({ err: error, peer: this.address }, 'a link ended');
    });
  }

  stop(): void {
    this.#stop.abort();
    this.#nudge();
    if (this.state.kind === 'up') this.state.client.close();
    this.state = { kind: 'down', reason: 'stopped' };
  }

  get client(): PeerClient | undefined {
    return this.state.kind === 'up' ? this.state.client : undefined;
  }

  /** Bytes came from it: it is alive. */
  heard(bytes: number): void {
    this.#heardMs = this.#options.clock.now();
    this.meter.arrived(bytes, this.#heardMs);
  }

  /** Something is late: look now whether it is still there. */
  suspect(): void {
    this.#nudge();
  }

  /** A call on `client` failed for want of a connection. */
  lost(client: PeerClient, reason: string): void {
    if (this.client === client) this.#nudge(new Error(reason));
  }

  /** It has sent something wrong. */
  blame(reason: string): void {
    this.penalizedUntilMs = this.#options.clock.now() + PENALTY_MS;
    this.#options.log.warn(
      { peer: this.name, address: this.address, reason },
      'a neighbour sent something wrong',
    );
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let retryMs = RETRY_MIN_MS; !signal.aborted; ) {
      try {
        const client = await this.#connect();
        retryMs = RETRY_MIN_MS;
        await this.#watch(client).finally(() => client.close());
      } catch (error) {
        if (signal.aborted) return;
        this.#down((error as Error).message);
      }
      await this.#pause(retryMs * (0.5 + this.#options.clock.random()));
      retryMs = Math.min(retryMs * 2, RETRY_MAX_MS);
    }
  }

  /** Ends early when the link does. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const onAbort = () => resolve();
    const { signal } = this.#stop;
    const cancelTimer = this.#options.clock.after(ms, resolve);
    signal.addEventListener('abort', onAbort, { once: true });
    await promise;
    cancelTimer();
    signal.removeEventListener('abort', onAbort);
  }

  async #connect(): Promise<PeerClient> {
    const { name, address, tls, log } = this.#options;
    const found = await knock(address, tls, CONNECT_TIMEOUT_MS);
    if (found !== name) throw new Error(`${found} answers at the address of ${name}`);
    const client = new PeerClient(address, tls, ({ message }) => this.blame(message));
    try {
      await client.ping(CONNECT_TIMEOUT_MS);
      await this.#ping(client, CONNECT_TIMEOUT_MS);
      this.#stop.signal.throwIfAborted();
    } catch (error) {
      client.close();
      throw error;
    }
    log.info({ peer: name, address }, 'a neighbour answers');
    this.#become({ kind: 'up', client });
    return client;
  }

  /** Rejects when the neighbour is gone. */
  async #watch(client: PeerClient): Promise<never> {
    const { clock } = this.#options;
    for (;;) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      this.#nudge = (reason) => (reason ? reject(reason) : resolve());
      const cancelTimer = clock.after(this.calls > 0 ? HEARTBEAT_BUSY_MS : HEARTBEAT_IDLE_MS, resolve);
      await promise.finally(cancelTimer);
      this.#stop.signal.throwIfAborted();
      if (!(await this.#lives(client, DOUBT_AFTER_MS))) {
        this.isDoubtful = true;
        await this.#lives(client, GIVE_UP_AFTER_MS, true);
      }
      this.isDoubtful = false;
    }
  }

  /** False when it is silent; rejects when the connection is lost, or, `at last`, for silence too. */
  async #lives(client: PeerClient, timeoutMs: number, atLast = false): Promise<boolean> {
    const begunMs = this.#options.clock.now();
    try {
      await Promise.race([this.#ping(client, timeoutMs), this.#failure()]);
      return true;
    } catch (error) {
      // An answer may be queued behind blocks on a slow link; those have proved that it lives.
      if (this.#heardMs >= begunMs) return true;
      if (atLast || (error as ServiceError).code !== status.DEADLINE_EXCEEDED) throw error;
      return false;
    }
  }

  /** Rejects when a call reports the connection lost. */
  #failure(): Promise<never> {
    const { promise, reject } = Promise.withResolvers<never>();
    this.#nudge = (reason) => reason && reject(reason);
    return promise;
  }

  async #ping(client: PeerClient, timeoutMs: number): Promise<void> {
    const begunMs = this.#options.clock.now();
    await client.ping(Math.max(timeoutMs, 4 * (this.meter.rttMs ?? 0)));
    this.meter.roundTrip(this.#options.clock.now() - begunMs);
  }

  #down(reason: string): void {
    const { log } = this.#options;
    const before = this.state.kind;
    if (before !== 'down')
      log.warn({ peer: this.name, address: this.address, reason }, 'a neighbour is gone');
    this.#become({ kind: 'down', reason });
  }

  #become(state: LinkState): void {
    const changed = this.state.kind !== state.kind;
    this.isDoubtful = false;
    this.state = state;
    if (changed) this.#options.onChange();
  }
}
