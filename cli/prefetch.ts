/** `forage prefetch`. */
import { AdminService, admin } from '../proto/admin.ts';
import { askStream } from './admin-client.ts';
import { bytes, count, print, printJson } from './output.ts';
import { follow, meterFor } from './progress.ts';
import { settings } from './settings.ts';

export async function prefetch(image: string, options: { config: string; json?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  const replies = askStream(run, AdminService.prefetch, new admin.PrefetchRequest().setImage(image));
  const { doneBlocks, doneBytes } = await follow(replies, meterFor('prefetch', { silent: options.json }));
  if (options.json) printJson({ image, blocks: doneBlocks, bytes: doneBytes });
  else print(`All of ${image} is here: ${count(doneBlocks, 'block')}, ${bytes(doneBytes)}.`);
}
