/** All that a node keeps, opened: blocks, volumes, and the databases in one LMDB environment. */
import { join } from 'node:path';
import { open } from 'lmdb';
import type { Logger } from 'pino';
import { sweepIngests } from '../blocks/ingest-child.ts';
import { openBlockStore } from '../blocks/store.ts';
import type { BlockId, LayerRecord } from '../blocks/types.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import { openRecordStore } from '../peers/directory/store.ts';
import { openPinStore, PIN_DATABASE } from '../peers/placement/pin-store.ts';
import type { SnapshotDatabase } from '../snapshotter/metadata.ts';
import { openLastMembers } from './last-members.ts';
import { openMarks } from './marks.ts';
import { openLayerRecords } from './records.ts';

export type Stores = Awaited<ReturnType<typeof openStores>>;

/** Opens (and makes) everything below `root`. Only one process may. */
export async function openStores(
  { root, onLost }: { root: string; onLost: (id: BlockId) => void },
  log: Logger,
) {
  const directories = {
    blocksDir: join(root, 'blocks'),
    volumesDir: join(root, 'volumes'),
    tempDir: join(root, 'ingest'),
    pageNamesDir: join(root, 'page-names'),
  };
  await sweepIngests(directories.tempDir);
  const blocks = await openBlockStore(directories.blocksDir, {
    onCorrupt: (error) => {
      onLost(error.id);
      log.error(`corrupt block removed: ${error.message}`);
    },
  });
  const volumes = await openVolumeStore(directories.volumesDir, {
    onCorrupt: (volume, error) => log.error({ volume }, `corrupt volume index removed: ${error.message}`),
  });
  const db = open({ path: join(root, 'db'), maxDbs: 8 });
  const snapshots: SnapshotDatabase = db.openDB({ name: 'snapshots' });
  const records = openLayerRecords(db.openDB<LayerRecord, string>({ name: 'layers' }));
  const directory = openRecordStore(db);
  const pins = openPinStore(db.openDB(PIN_DATABASE));
  const lastMembers = openLastMembers(db.openDB<string[], string>({ name: 'members' }));
  const marks = openMarks(db.openDB<boolean, string>({ name: 'marks' }));
  return {
    directories,
    blocks,
    volumes,
    snapshots,
    records,
    directory,
    pins,
    lastMembers,
    marks,
    close: () => db.close(),
  };
}
