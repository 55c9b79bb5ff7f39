/** All that forage wants of containerd, over one channel. */
import { setTimeout as sleep } from 'node:timers/promises';
import { empty, VersionService } from '../../proto/containerd.ts';
import { ContainerdError, connect } from './connection.ts';
import { type Containers, containers } from './containers.ts';
import { type ContentStore, contentStore } from './content.ts';
import { type Images, images, type Namespaces, namespaces } from './images.ts';
import { type Leases, leases } from './leases.ts';
import { type ContainerSnapshots, containerSnapshots } from './snapshots.ts';
import { type Tasks, tasks } from './tasks.ts';

export { ContainerdError } from './connection.ts';
export type { ContentStore, LayerBlob, LayerName } from './content.ts';
export type { ContainerdImage, Images, Namespaces } from './images.ts';
export type { Leases } from './leases.ts';

const RETRY_MIN_MS = 100;
const RETRY_MAX_MS = 5000;

export interface Containerd {
  containers: Containers;
  content: ContentStore;
  images: Images;
  namespaces: Namespaces;
  leases: Leases;
  snapshots: ContainerSnapshots;
  tasks: Tasks;
  /** Such as `1.7.24~ds1` or `v2.1.9`. Throws `ContainerdError`. */
  version(signal?: AbortSignal): Promise<string>;
  /** Resolves once containerd answers, however long that takes; rejects only on abort. */
  ready(signal?: AbortSignal): Promise<void>;
  close(): void;
}

/** Connects at the first call: containerd need not be running. `address` is the path of its socket. */
export function openContainerd(address: string): Containerd {
  const connection = connect(address);

  async function version(signal?: AbortSignal): Promise<string> {
    const reply = await connection.call(VersionService.version, '', new empty.Empty(), signal);
    return reply.getVersion();
  }

  async function ready(signal?: AbortSignal): Promise<void> {
    for (let pauseMs = RETRY_MIN_MS; ; pauseMs = Math.min(2 * pauseMs, RETRY_MAX_MS)) {
      try {
        await version(signal);
        return;
      } catch (error) {
        if (!(error instanceof ContainerdError)) throw error;
      }
      await sleep(pauseMs, undefined, { signal });
    }
  }

  return {
    containers: containers(connection),
    content: contentStore(connection),
    images: images(connection),
    namespaces: namespaces(connection),
    leases: leases(connection),
    snapshots: containerSnapshots(connection),
    tasks: tasks(connection),
    version,
    ready,
    close: () => connection.close(),
  };
}
