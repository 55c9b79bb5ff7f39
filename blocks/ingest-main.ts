/**
 * The ingest process, started by `ingest-child.ts` only: the job is its argument, the blob its standard input. It loads what its job needs and no
 * more: of an image with many small layers the processes' starts are a good part.
 */
import { setPriority } from 'node:os';
import type { ChildAnswer, ChildRequest } from './ingest-child.ts';
import { openPageNames } from './page-names.ts';
import { openBlockStore } from './store.ts';
import { openVolumeStore } from './volumes.ts';

/** A container may be frozen until its checkpoint is made; for a layer nobody waits. */
const LAYERS_PRIORITY = 19;

async function run(): Promise<ChildAnswer> {
  try {
    const job = JSON.parse(process.argv[2]!) as ChildRequest;
    if (job.of === 'layer') setPriority(LAYERS_PRIORITY);
    const blocks = await openBlockStore(job.blocksDir, { guest: true });
    const volumes = await openVolumeStore(job.volumesDir, { guest: true });
    const stores = { blocks, volumes };
    if (job.of !== 'layer') {
      const pageNames = openPageNames(job.pageNamesDir);
      const { ingestCheckpoint } = await import('./checkpoint-volume.ts');
      return { ok: await ingestCheckpoint(job, { ...stores, pageNames }) };
    }
    const { ingestLayer } = await import('./ingest.ts');
    return { ok: await ingestLayer(job, job.diffId === '' ? null : process.stdin, stores) };
  } catch (error) {
    const { name, message } = error as Error;
    return { error: { name, message } };
  }
}

const answer = await run();
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit('ok' in answer ? 0 : 1));
