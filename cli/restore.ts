/** `forage restore`. */
import { admin } from '../proto/admin.ts';
import { followRestore, type Restored } from './checkpoint/follow.ts';
import { milliseconds, print, printJson } from './output.ts';
import { settings } from './settings.ts';

export interface RestoreOptions {
  config: string;
  json?: boolean;
  namespace: string;
  name?: string;
  on?: string;
  whole?: boolean;
  /** Of `--no-wait`. */
  wait: boolean;
}

export async function restore(checkpoint: string, options: RestoreOptions): Promise<void> {
  const { run } = await settings(options.config);
  const container = options.name ?? checkpoint;
  const request = new admin.RestoreRequest()
    .setCheckpoint(checkpoint)
    .setNamespace(options.namespace)
    .setContainer(container)
    .setNode(options.on ?? '')
    .setWhole(options.whole ?? false);
  const restored = await followRestore(run, request, { silent: options.json, wait: options.wait });
  if (options.json) printJson({ checkpoint, container, ...plain(restored) });
  else print(forPeople(container, restored));
}

export function plain({ runningMs, completeMs, totalBytes }: Restored) {
  return { running_ms: runningMs, complete_ms: completeMs ?? null, memory_bytes: totalBytes };
}

function forPeople(container: string, { runningMs, completeMs }: Restored): string {
  const rest =
    completeMs === undefined
      ? 'its memory is still coming'
      : `all of its memory was here after ${milliseconds(completeMs)}`;
  return `${container} runs after ${milliseconds(runningMs)}; ${rest}`;
}
