/** `forage drain`. */
import { AdminService, admin } from '../proto/admin.ts';
import { ask, askStream } from './admin-client.ts';
import { bytes, count, print, printJson } from './output.ts';
import { follow, meterFor } from './progress.ts';
import { settings } from './settings.ts';

const NEXT = `This node owns nothing any more, and nothing is lost when it goes. Containers that run from forage's layers read
through it: end them first. Then, for good:
  systemctl disable --now forage forage-volumes
Or take it back into service:
  forage drain --undo`;

export async function drain(options: { config: string; json?: boolean; undo?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  if (options.undo) {
    await ask(run, AdminService.undrain, new admin.UndrainRequest());
    if (options.json) printJson({ drained: false });
    else print('This node takes its part again: what it owns comes back to it.');
    return;
  }
  const replies = askStream(run, AdminService.drain, new admin.DrainRequest());
  const { doneBlocks, doneBytes } = await follow(replies, meterFor('drain', { silent: options.json }));
  if (options.json) printJson({ drained: true, blocks: doneBlocks, bytes: doneBytes });
  else print(`Drained: ${count(doneBlocks, 'block')}, ${bytes(doneBytes)}.\n${NEXT}`);
}
