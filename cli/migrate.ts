/**
 * `forage migrate`: while the container runs, a first checkpoint is made of it and brought to the other node whole; then it is frozen, and a second
 * one, of which only what has changed has to move, is restored there; once it runs there, it is ended here. While it is frozen it does not
 * run, so it never runs twice: whatever fails before it runs there, it goes on here. When the other node cannot be heard any more, nobody
 * knows whether it runs there: it stays frozen, and the person is told.
 */
import type { Config } from '../node/config/config.ts';
import { isContainerdError } from '../node/containerd/connection.ts';
import type { Container } from '../node/containerd/containers.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { ask, askStream } from './admin-client.ts';
import { dump } from './checkpoint/dump.ts';
import { followPreparation, followRestore, type Restored } from './checkpoint/follow.ts';
import { containerNamed, withContainerd } from './checkpoint/machine.ts';
import { livingNodes } from './checkpoint/nodes.ts';
import { Failure } from './errors.ts';
import { bytes, milliseconds, print, printJson } from './output.ts';
import { plain } from './restore.ts';
import { settings } from './settings.ts';

export interface MigrateOptions {
  config: string;
  json?: boolean;
  namespace: string;
  to: string;
  lazy?: boolean;
}

export async function migrate(name: string, options: MigrateOptions): Promise<void> {
  const config = await settings(options.config);
  const container = await containerNamed(config, options.namespace, name);
  if (!(await livingNodes(config.run)).includes(options.to))
    throw new Failure(`no node ${options.to} of the cluster answers; \`forage peers\` lists them`);
  const move: Move = { config, container, options };
  const begunMs = performance.now();
  const ahead = await bringAhead(move);
  const preparedMs = performance.now() - begunMs;
  try {
    const moved = { preparedMs, ...(await frozen(move)) };
    if (options.json) printJson(forScripts(move, moved));
    else print(forPeople(move, moved));
  } finally {
    await removeCheckpoint(config, ahead).catch(() => {});
  }
}

interface Move {
  config: Config;
  container: Container;
  options: MigrateOptions;
}

/** Brings a checkpoint of the running container to the other node. Answers its id. */
async function bringAhead(move: Move): Promise<string> {
  const { config, container, options } = move;
  const first = await dump(config, options.namespace, container.id, { name: undefined, stop: false });
  try {
    const replies = askStream(config.run, AdminService.restore, orderOf(move, first).setPrepare(true));
    await followPreparation(replies, options.json);
    return first;
  } catch (error) {
    // What has failed is worth more than what is left of it, which `forage checkpoint ls` shows.
    await removeCheckpoint(config, first).catch(() => {});
    throw error;
  }
}

/** From frozen here to all there. */
async function frozen(move: Move): Promise<Omit<Moved, 'preparedMs'>> {
  const { config, container, options } = move;
  const { namespace } = options;
  const { id } = container;
  let runsThere = false;
  const begunMs = performance.now();
  await withContainerd(config, ({ tasks }) => tasks.pause(namespace, id));
  try {
    const checkpoint = await dump(config, namespace, id, { name: undefined, stop: false });
    const dumpedMs = performance.now() - begunMs;
    let pausedMs = 0;
    const order = orderOf(move, checkpoint).setWhole(!options.lazy);
    const restored = await followRestore(askStream(config.run, AdminService.restore, order), {
      silent: options.json,
      wait: true,
      onRunning: async () => {
        runsThere = true;
        pausedMs = performance.now() - begunMs;
        await endHere(config, namespace, container);
      },
    });
    await removeCheckpoint(config, checkpoint);
    return { dumpedMs, pausedMs, restored };
  } finally {
    if (!runsThere) await withContainerd(config, ({ tasks }) => tasks.resume(namespace, id));
  }
}

function orderOf({ container, options }: Move, checkpoint: string): admin.RestoreRequest {
  return new admin.RestoreRequest()
    .setCheckpoint(checkpoint)
    .setNamespace(options.namespace)
    .setContainer(container.id)
    .setNode(options.to);
}

async function removeCheckpoint({ run }: Config, id: string): Promise<void> {
  await ask(run, AdminService.removeCheckpoint, new admin.CheckpointRequest().setId(id));
}

/** The container, its task and what it has written: all of it is on the other node. */
async function endHere(
  config: Config,
  namespace: string,
  { id, snapshotter, snapshotKey }: Container,
): Promise<void> {
  await withContainerd(config, async ({ tasks, containers, snapshots }) => {
    await tasks.kill(namespace, id);
    // Its processes take the signal when they are thawed, before anything else.
    await tasks.resume(namespace, id).catch(() => {});
    await tasks.ended(namespace, id).catch(() => {});
    await tasks.delete(namespace, id);
    await containers.delete(namespace, id);
    // containerd's own collector may have been here already.
    await snapshots.remove(namespace, snapshotter, snapshotKey).catch((error: unknown) => {
      if (!isContainerdError(error, 'not-found')) throw error;
    });
  });
}

interface Moved {
  /** Before it was frozen: the first checkpoint, until the other node had it. */
  preparedMs: number;
  /** From frozen to dumped. */
  dumpedMs: number;
  /** From frozen here to running there. */
  pausedMs: number;
  restored: Restored;
}

/** The form of `--json`; scripts rely on it. */
function forScripts({ container, options }: Move, { preparedMs, dumpedMs, pausedMs, restored }: Moved) {
  return {
    container: container.id,
    to: options.to,
    prepared_ms: preparedMs,
    dumped_ms: dumpedMs,
    paused_ms: pausedMs,
    ...plain(restored),
    shared_bytes: restored.sharedBytes,
  };
}

function forPeople(
  { container, options }: Move,
  { preparedMs, dumpedMs, pausedMs, restored }: Moved,
): string {
  const { completeMs, totalBytes, sharedBytes } = restored;
  return [
    `${container.id} runs on ${options.to}.`,
    `ahead      ${milliseconds(preparedMs)} while it ran here`,
    `frozen     ${milliseconds(pausedMs)}, of that ${milliseconds(dumpedMs)} for the dump`,
    `complete   ${milliseconds(dumpedMs + (completeMs ?? 0))} after it was frozen`,
    `memory     ${bytes(totalBytes)}, of that ${bytes(sharedBytes)} there before it was frozen`,
  ].join('\n');
}
