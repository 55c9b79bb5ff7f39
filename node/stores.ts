/** All that a node keeps, opened: blocks, volumes, and the databases in one LMDB environment. */
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Logger } from 'pino';
import { sweepIngests } from '../blocks/ingest-child.ts';
import { openBlockStore } from '../blocks/store.ts';
import type { LayerRecord } from '../blocks/types.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import type { SnapshotDatabase } from '../snapshotter/metadata.ts';
import { openLayerRecords } from './records.ts';

/** Opens (and makes) everything below `root`. Only one process may. */
export async function openStores({ root }: { root: string }, log: Logger) {
  const directories = {
    blocksDir: join(root, 'blocks'),
    volumesDir: join(root, 'volumes'),
    tempDir: join(root, 'ingest'),
  };
  await sweepIngests(directories.tempDir);
  const blocks = await openBlockStore(directories.blocksDir, {
    onCorrupt: (error) => log.error(`corrupt block removed: ${error.message}`),
  });
  const volumes = await openVolumeStore(directories.volumesDir, {
    onCorrupt: (volume, error) => log.error({ volume }, `corrupt volume index removed: ${error.message}`),
  });
  const db = open({ path: join(root, 'db'), maxDbs: 4 });
  const snapshots: SnapshotDatabase = db.openDB({ name: 'snapshots' });
  const records = openLayerRecords(db.openDB<LayerRecord, string>({ name: 'layers' }));
  return { directories, blocks, volumes, snapshots, records, close: () => db.close() };
}
