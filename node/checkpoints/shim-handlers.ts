/** What the shim asks for, done by the parts that know: staging and making, restoring, containerd's facts. */
import { randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { Logger } from 'pino';
import type { Root } from '../../blocks/types.ts';
import type { ContainerFacts, Reference } from '../../shim/protocol.ts';
import type { Config } from '../config/config.ts';
import { type Containerd, ContainerdError } from '../containerd/containerd.ts';
import type { LayerRecords } from '../records.ts';
import type { Checkpoints } from './checkpoints.ts';
import { type Facts, factsOf } from './facts.ts';
import { checkpointFlags, restoreFlags } from './flags.ts';
import type { Restores } from './restores.ts';
import type { RestoreEvent, ShimHandlers, Take } from './shim-server.ts';

interface Parts {
  checkpoints: Checkpoints;
  restores: Restores;
  containerd: Containerd;
  records: LayerRecords;
  config: Config['checkpoint'];
  /** This node's name in the cluster. */
  node: () => string;
  log: Logger;
}

export function createShimHandlers(parts: Parts): ShimHandlers {
  const { checkpoints, restores, containerd, records, config, log } = parts;

  /** A checkpoint that containerd says nothing of is worth having, too. */
  async function facts(container: ContainerFacts): Promise<Facts | undefined> {
    try {
      return await factsOf(containerd, records, container);
    } catch (error) {
      if (!(error instanceof ContainerdError)) throw error;
      log.warn({ err: error, container: container.id }, 'containerd does not tell of a container');
      return undefined;
    }
  }

  async function taken(id: string, directory: string, request: Take): Promise<Reference> {
    const { container, running, frozenMs, memoryBytes, filesBytes, hasFiles } = request;
    const known = await facts(container);
    const document = {
      id,
      node: parts.node(),
      createdMs: Date.now(),
      ...(known?.parent !== undefined && { parent: known.parent }),
      container: { namespace: container.namespace || 'default', id: container.id },
      wasLeftRunning: running,
      frozenMs,
      memoryBytes,
      filesBytes,
      ...(known && { made: known.made }),
    };
    await checkpoints.take({ id, directory, hasFiles, document, below: known?.below ?? [] });
    log.info(
      { checkpoint: id, container: container.id, memoryBytes, filesBytes, frozenMs },
      'a dump was taken',
    );
    return { forage: 1, checkpoint: id, nonce: randomBytes(16).toString('hex') };
  }

  function note(id: string, container: string, said: RestoreEvent): void {
    const fields = { checkpoint: id, container };
    if (said.event === 'running') log.info(fields, 'a container was restored and runs');
    else if (said.event === 'complete') log.info(fields, 'all memory of a restored container has come');
    else
      log.error(
        { ...fields, reason: said.reason },
        'a restored container was killed: its memory did not come',
      );
  }

  return {
    async stage({ container, bytes, name }) {
      const { id, directory } = await checkpoints.stage(container, bytes, name);
      return { staged: directory, id, flags: checkpointFlags(config) };
    },
    abandon: (directory) => checkpoints.abandon(directory),
    take: taken,
    async restore({ checkpoint }, container, tell, signal) {
      const lowers = container.lowers.map(rootAt);
      const opened = await restores.open(checkpoint, lowers, container, tell, signal);
      let last: RestoreEvent['event'] | undefined;
      const hear = (said: RestoreEvent) => {
        last = said.event;
        note(checkpoint, container.id, said);
        opened.heard(said);
      };
      return {
        answer: {
          images: opened.images,
          files: opened.files,
          flags: restoreFlags(config),
          lazy: config.lazy,
        },
        event: hear,
        touched(pages) {
          opened.touched(pages).catch((err: unknown) => {
            log.warn({ err, checkpoint }, 'what a restored container touched first is not kept');
          });
        },
        async release() {
          if (last === 'running')
            hear({ do: 'event', event: 'killed', reason: 'its guard has died, and it with it' });
          await opened.release();
        },
      };
    },
  };
}

/**
 * The volume under a lower path, a link to where it is mounted; '' where that is a directory. Links in memory are read at once: in the queue of
 * all file work, behind blocks that arrive, a container would wait for them.
 */
function rootAt(path: string): Root {
  try {
    const target = basename(readlinkSync(path));
    return /^[0-9a-f]{64}$/.test(target) ? target : '';
  } catch {
    return ''; // no link: a lower layer of another snapshotter
  }
}
