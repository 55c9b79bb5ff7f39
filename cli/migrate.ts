/**
 * `forage migrate`: while the container runs, a first checkpoint is made of it and brought to the other node whole; then it is frozen, and a second
 * one, of which only what has changed has to move, is restored there; once it runs there, it is ended here. While it is frozen it does not
 * run, so it never runs twice: whatever fails before it runs there, it goes on here. When the other node cannot be heard any more, nobody
 * knows whether it runs there: it stays frozen, the person is told, and the node is asked until it answers.
 *
 * Both checkpoints go once the other node has all. With `--lazy` it begins again there from the first one, which was brought whole, when the rest
 * of its memory does not come.
 */
import type { Config } from '../node/config/config.ts';
import { isContainerdError } from '../node/containerd/connection.ts';
import type { Container } from '../node/containerd/containers.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { ask } from './admin-client.ts';
import { dump, thaw } from './checkpoint/dump.ts';
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
  const moved = { preparedMs, ...(await frozen(move, ahead)) };
  await removeCheckpoint(config, ahead).catch(() => {});
  if (options.json) printJson(forScripts(move, moved));
  else print(forPeople(move, moved));
}

interface Move {
  config: Config;
  container: Container;
  options: MigrateOptions;
}

/** Brings a checkpoint of the running container to the other node. Answers its id. */
async function bringAhead(move: Move): Promise<string> {
  const { config, container, options } = move;
  const first = await dump(config, options.namespace, container.id, {
    name: undefined,
    after: 'run',
  });
  try {
    await followPreparation(config.run, orderOf(move, first).setPrepare(true), options.json);
    return first;
  } catch (error) {
    // What has failed is worth more than what is left of it, which `forage checkpoint ls` shows.
    await removeCheckpoint(config, first).catch(() => {});
    throw error;
  }
}

/** From frozen here to all there. Where it fails, the checkpoints go unless they are worth keeping. */
async function frozen(move: Move, ahead: string): Promise<Omit<Moved, 'preparedMs'>> {
  const { config, container, options } = move;
  const { namespace } = options;
  const { id } = container;
  const made = [ahead];
  let pausedMs = 0;
  const begunMs = performance.now();
  try {
    const checkpoint = await dump(config, namespace, id, { name: undefined, after: 'stay frozen' });
    made.push(checkpoint);
    const dumpedMs = performance.now() - begunMs;
    const order = orderOf(move, checkpoint).setWhole(!options.lazy);
    const restored = await followRestore(config.run, options.lazy ? order.setFallback(ahead) : order, {
      silent: options.json,
      wait: true,
      unheard: teller(move, () => pausedMs > 0),
      onRunning: async () => {
        pausedMs = performance.now() - begunMs;
        await endHere(config, namespace, container);
      },
    });
    const earlyMs = dumpedMs - (await frozenMsOf(config, checkpoint));
    if (!restored.fellBack) await removeCheckpoint(config, checkpoint);
    return { checkpoint, dumpedMs: dumpedMs - earlyMs, pausedMs: pausedMs - earlyMs, restored };
  } catch (error) {
    if (pausedMs > 0)
      throw new Failure(`${(error as Error).message}; its checkpoints ${made.join(' and ')} are left`);
    for (const checkpoint of made) await removeCheckpoint(config, checkpoint).catch(() => {});
    throw error;
  } finally {
    if (pausedMs === 0) await thaw(namespace, id);
  }
}

/** It was frozen some time after it was asked for: until its dump was taken, so long. */
async function frozenMsOf({ run }: Config, checkpoint: string): Promise<number> {
  const request = new admin.CheckpointRequest().setId(checkpoint);
  return (await ask(run, AdminService.inspectCheckpoint, request)).getCheckpoint()!.getFrozenMs();
}

/** Says why nothing is heard, each reason once. */
function teller({ container: { id }, options: { to } }: Move, runsThere: () => boolean) {
  let said = '';
  return (why: string) => {
    if (why === said) return;
    said = why;
    const state = runsThere()
      ? `${id} runs on ${to}; how its memory comes there, cannot be heard`
      : `whether ${id} runs on ${to}, cannot be heard: it stays frozen here until it can`;
    process.stderr.write(`${why}\n${state}\n`);
  };
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
    await thaw(namespace, id);
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
  /** What was made of it while it was frozen. */
  checkpoint: string;
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
    fell_back: restored.fellBack,
  };
}

function forPeople(
  { container, options }: Move,
  { checkpoint, preparedMs, dumpedMs, pausedMs, restored }: Moved,
): string {
  const { completeMs, totalBytes, sharedBytes, fellBack } = restored;
  if (fellBack)
    return [
      `${container.id} began again on ${options.to}, from the checkpoint that was brought there before it was frozen: the rest of its memory did not come.`,
      `What it has done since is in checkpoint ${checkpoint}, which can be restored when its blocks can be had again.`,
    ].join('\n');
  return [
    `${container.id} runs on ${options.to}.`,
    `ahead      ${milliseconds(preparedMs)} while it ran here`,
    `frozen     ${milliseconds(pausedMs)}, of that ${milliseconds(dumpedMs)} for the dump`,
    `complete   ${milliseconds(dumpedMs + (completeMs ?? 0))} after it was frozen`,
    `memory     ${bytes(totalBytes)}, of that ${bytes(sharedBytes)} there before it was frozen`,
  ].join('\n');
}
