/** Tells `Layers` when the last snapshot of a layer is gone, so that its volume can go too. */
import type { Logger } from 'pino';
import type { ChainId } from '../blocks/types.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { Metadata } from './metadata.ts';
import type { Layers } from './types.ts';

export class Releases {
  readonly #metadata: Metadata;
  readonly #layers: Layers;
  readonly #chainLock: KeyedLock;
  readonly #logger: Logger;
  readonly #running = new Set<Promise<void>>();

  constructor(metadata: Metadata, layers: Layers, chainLock: KeyedLock, logger: Logger) {
    this.#metadata = metadata;
    this.#layers = layers;
    this.#chainLock = chainLock;
    this.#logger = logger;
  }

  /** In the background: freeing a volume looks at many blocks. Does nothing while a snapshot has the layer. */
  releaseLater(chainId: ChainId | ''): void {
    if (chainId === '') return;
    const running = this.#chainLock.run(chainId, () => this.#release(chainId));
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Resolves once all that was to be released is. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #release(chainId: ChainId): Promise<void> {
    if (this.#metadata.catalogue.hasChain(chainId)) return;
    try {
      await this.#layers.release(chainId);
    } catch (error) {
      this.#logger.warn({ chainId, err: error }, 'volume not released; the sweep at the next start frees it');
    }
  }
}
