/** `forage gc`. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { askLong } from './admin-client.ts';
import { bytes, count, print, printJson } from './output.ts';
import { settings } from './settings.ts';

export async function gc(options: { config: string; json?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  const shown = plain(await askLong(run, AdminService.collect, new admin.CollectRequest()));
  if (options.json) printJson(shown);
  else {
    const of = (blocks: number, size: number) => `${count(blocks, 'block')}, ${bytes(size)}`;
    print(`removed  ${of(shown.blocks, shown.bytes)}\nleft     ${of(shown.left_blocks, shown.left_bytes)}`);
  }
}

/** The form of `--json`; scripts rely on it. */
function plain(reply: admin.CollectReply) {
  const [removed, left] = [reply.getRemoved(), reply.getLeft()];
  return {
    blocks: fromInt64(removed?.getCount() ?? '0', 'blocks removed'),
    bytes: fromInt64(removed?.getBytes() ?? '0', 'bytes removed'),
    left_blocks: fromInt64(left?.getCount() ?? '0', 'blocks left'),
    left_bytes: fromInt64(left?.getBytes() ?? '0', 'bytes left'),
  };
}
