/** `forage checkpoint`: create, ls, inspect, rm. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { ask, askStream } from './admin-client.ts';
import { dump } from './checkpoint/dump.ts';
import { containerNamed } from './checkpoint/machine.ts';
import { Failure } from './errors.ts';
import { bytes, milliseconds, percent, print, printJson, table } from './output.ts';
import { settings } from './settings.ts';

interface Options {
  config: string;
  json?: boolean;
}

export interface CreateOptions extends Options {
  namespace: string;
  name?: string;
  stop?: boolean;
  /** Of `--no-wait`. */
  wait: boolean;
}

export async function create(name: string, options: CreateOptions): Promise<void> {
  const config = await settings(options.config);
  const container = await containerNamed(config, options.namespace, name);
  const id = await dump(config, options.namespace, container.id, {
    name: options.name,
    after: options.stop ? 'end' : 'run',
  });
  if (options.wait) await settle(config.run, id, options.json ?? false);
  const { checkpoint } = await inspected(config.run, id, options.wait);
  if (options.json) printJson(checkpoint ?? { id });
  else if (checkpoint)
    print(
      `${id}  frozen ${milliseconds(checkpoint.frozen_ms)}, memory ${bytes(checkpoint.memory_bytes)}, files ${bytes(checkpoint.files_bytes)}`,
    );
  else print(id);
}

/** Until all owners have it. */
async function settle(run: string, id: string, isSilent: boolean): Promise<void> {
  const request = new admin.CheckpointRequest().setId(id);
  const words: Record<string, string> = {
    making: 'the container goes on; its checkpoint is being made',
    replicating: 'other nodes fetch what they are to keep',
    few: 'warning: the cluster has fewer nodes than replicas; those that there are will keep it',
  };
  for await (const reply of askStream(run, AdminService.settleCheckpoint, request)) {
    const text = words[reply.getStage()];
    if (text && !isSilent) process.stderr.write(`${text}\n`);
  }
}

async function inspected(run: string, id: string, isMade: boolean) {
  if (!isMade) return { checkpoint: undefined, document: undefined };
  const reply = await ask(run, AdminService.inspectCheckpoint, new admin.CheckpointRequest().setId(id));
  return { checkpoint: plain(reply.getCheckpoint()!), document: JSON.parse(reply.getDocument()) as unknown };
}

export async function list(options: Options): Promise<void> {
  const { run } = await settings(options.config);
  const reply = await ask(run, AdminService.checkpoints, new admin.CheckpointsRequest());
  const shown = reply.getCheckpointsList().map(plain);
  if (options.json) printJson(shown);
  else print(forPeople(shown));
}

export async function inspect(id: string, options: Options): Promise<void> {
  const { run } = await settings(options.config);
  const { checkpoint, document } = await inspected(run, id, true);
  if (!checkpoint) throw new Failure(`there is no checkpoint ${id}`);
  printJson({ ...checkpoint, document });
}

export async function remove(id: string, options: Options): Promise<void> {
  const { run } = await settings(options.config);
  await ask(run, AdminService.removeCheckpoint, new admin.CheckpointRequest().setId(id));
  if (options.json) printJson({ id });
  else print(`removed ${id}; its blocks go, on every node`);
}

type Shown = ReturnType<typeof plain>;

/** The form of `--json`; scripts rely on it. */
function plain(from: admin.Checkpoint) {
  return {
    id: from.getId(),
    image: from.getImage(),
    node: from.getNode(),
    created_ms: fromInt64(from.getCreatedMs(), 'time of a checkpoint'),
    namespace: from.getNamespace(),
    container: from.getContainer(),
    parent: from.getParent() || null,
    memory_root: from.getMemoryRoot(),
    volume_roots: from.getVolumeRootsList(),
    memory_bytes: fromInt64(from.getMemoryBytes(), 'bytes of memory'),
    files_bytes: fromInt64(from.getFilesBytes(), 'bytes of files'),
    frozen_ms: from.getFrozenMs(),
    has_working_set: from.getHasWorkingSet(),
    bytes_here: fromInt64(from.getHereBytes(), 'bytes here'),
    block_bytes: fromInt64(from.getTotalBytes(), 'bytes of blocks'),
  };
}

function forPeople(shown: Shown[]): string {
  if (shown.length === 0) return 'No checkpoints. Make one: forage checkpoint create CONTAINER';
  const rows = shown.map((one) => [
    one.id,
    one.container,
    one.image || '-',
    one.node,
    new Date(one.created_ms).toISOString().slice(0, 19).replace('T', ' '),
    bytes(one.memory_bytes),
    bytes(one.files_bytes),
    percent(one.bytes_here, one.block_bytes),
  ]);
  return table(['CHECKPOINT', 'CONTAINER', 'IMAGE', 'NODE', 'MADE', '>MEMORY', '>FILES', '>HERE'], rows);
}
