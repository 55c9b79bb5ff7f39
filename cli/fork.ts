/** `forage fork`: one checkpoint, many containers. */
import { admin } from '../proto/admin.ts';
import { followRestore } from './checkpoint/follow.ts';
import { livingNodes } from './checkpoint/nodes.ts';
import { Failure, UsageError } from './errors.ts';
import { milliseconds, print, printJson, table } from './output.ts';
import { settings } from './settings.ts';

export interface ForkOptions {
  config: string;
  json?: boolean;
  namespace: string;
  count: number;
  name?: string;
}

const MAX_COUNT = 1000;

/** The form of `--json`; scripts rely on it. */
interface Forked {
  container: string;
  node: string;
  running_ms: number | null;
  failed: string | null;
}

export async function fork(checkpoint: string, options: ForkOptions): Promise<void> {
  if (options.count < 1 || options.count > MAX_COUNT) throw new UsageError(`--count: 1 to ${MAX_COUNT}`);
  const { run } = await settings(options.config);
  const nodes = await livingNodes(run);
  const all = Array.from({ length: options.count }, (_, i) =>
    one(run, checkpoint, options, `${options.name ?? checkpoint}-${i + 1}`, nodes[i % nodes.length]!),
  );
  const forked = await Promise.all(all);
  if (options.json) printJson(forked);
  else print(forPeople(forked));
  const failed = forked.filter((one) => one.failed !== null).length;
  if (failed > 0) throw new Failure(`${failed} of ${forked.length} do not run`);
}

async function one(
  run: string,
  checkpoint: string,
  { namespace }: ForkOptions,
  container: string,
  node: string,
): Promise<Forked> {
  const request = new admin.RestoreRequest()
    .setCheckpoint(checkpoint)
    .setNamespace(namespace)
    .setContainer(container)
    .setNode(node);
  try {
    const { runningMs } = await followRestore(run, request, { silent: true, wait: false });
    return { container, node, running_ms: Math.round(runningMs), failed: null };
  } catch (error) {
    return { container, node, running_ms: null, failed: (error as Error).message };
  }
}

function forPeople(forked: Forked[]): string {
  const rows = forked.map(({ container, node, running_ms: ms, failed }) => [
    container,
    node,
    ms === null ? '-' : milliseconds(ms),
    failed ?? '',
  ]);
  return table(['CONTAINER', 'NODE', '>RUNS AFTER', ''], rows);
}
