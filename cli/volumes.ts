/** `forage volumes`. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { ask } from './admin-client.ts';
import { bytes, percent, print, printJson, short, table } from './output.ts';
import { settings } from './settings.ts';

type Volume = ReturnType<typeof plain>;

export async function volumes(options: { config: string; json?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  const reply = await ask(run, AdminService.volumes, new admin.VolumesRequest());
  const shown = reply
    .getVolumesList()
    .map(plain)
    .sort((a, b) => b.size_bytes - a.size_bytes || (a.root < b.root ? -1 : 1));
  if (options.json) printJson(shown);
  else print(forPeople(shown));
}

/** The form of `--json`; scripts rely on it. */
function plain(volume: admin.Volume) {
  return {
    root: volume.getRoot(),
    chain_id: volume.getChainId(),
    diff_id: volume.getDiffId(),
    format: volume.getFormat(),
    size_bytes: fromInt64(volume.getSizeBytes(), 'size of a volume'),
    blocks: volume.getBlocks(),
    blocks_here: volume.getBlocksHere(),
    bytes_here: fromInt64(volume.getBytesHere(), 'bytes of a volume'),
    complete: volume.getComplete(),
    mounted: volume.getMounted(),
    in_use: volume.getInUse(),
  };
}

function forPeople(volumes: Volume[]): string {
  if (volumes.length === 0) {
    return 'No volumes. Pull an image: nerdctl pull --snapshotter forage IMAGE';
  }
  const rows = volumes.map((volume) => [
    short(volume.root),
    short(volume.chain_id) || '-',
    volume.format,
    bytes(volume.size_bytes),
    String(volume.blocks),
    percent(volume.blocks_here, volume.blocks),
    volume.in_use ? 'in use' : volume.mounted ? 'mounted' : '-',
  ]);
  return table(['VOLUME', 'LAYER', 'FORMAT', '>SIZE', '>BLOCKS', '>HERE', 'STATE'], rows);
}
