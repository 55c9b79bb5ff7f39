/** `forage checkpoint export` and `import`. */
import { resolve } from 'node:path';
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { askStream } from './admin-client.ts';
import { bytes, print, printJson } from './output.ts';
import { meterFor } from './progress.ts';
import { settings } from './settings.ts';

interface Options {
  config: string;
  json?: boolean;
}

export async function exportTo(id: string, file: string, options: Options): Promise<void> {
  const request = new admin.CheckpointFileRequest().setId(id).setFile(resolve(file));
  const done = await follow('export', AdminService.exportCheckpoint, request, options);
  if (options.json) printJson({ id, file: resolve(file), bytes: done.bytes });
  else print(`${id} is in ${file}: ${bytes(done.bytes)}`);
}

export async function importFrom(file: string, options: Options): Promise<void> {
  const request = new admin.CheckpointFileRequest().setFile(resolve(file));
  const done = await follow('import', AdminService.importCheckpoint, request, options);
  if (options.json) printJson({ id: done.id, bytes: done.bytes });
  else print(`${done.id} is in the cluster: ${bytes(done.bytes)}`);
}

async function follow(
  title: string,
  method: typeof AdminService.exportCheckpoint,
  request: admin.CheckpointFileRequest,
  { config, json }: Options,
): Promise<{ id: string; bytes: number }> {
  const { run } = await settings(config);
  const meter = meterFor(title, { silent: json });
  const last = { id: '', bytes: 0 };
  try {
    for await (const progress of askStream(run, method, request)) {
      last.id = progress.getId();
      last.bytes = fromInt64(progress.getDoneBytes(), 'bytes done');
      const totalBytes = fromInt64(progress.getTotalBytes(), 'bytes in all');
      meter.show({ doneBlocks: 0, totalBlocks: 0, doneBytes: last.bytes, totalBytes });
    }
  } finally {
    meter.stop();
  }
  return last;
}
