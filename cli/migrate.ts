/**
 * `forage migrate`: the container is frozen, its checkpoint made, and restored on the other node; once it runs there, it is ended here. While it
 * is frozen it does not run, so it never runs twice: whatever fails before it runs there, it goes on here. When the other node
 * cannot be heard any more, nobody knows whether it runs there: it stays frozen, and the person is told.
 */
import type { Config } from '../node/config/config.ts';
import type { Container } from '../node/containerd/containers.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { ask, askStream } from './admin-client.ts';
import { dump } from './checkpoint/dump.ts';
import { followRestore, type Restored } from './checkpoint/follow.ts';
import { containerNamed, withContainerd } from './checkpoint/machine.ts';
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
  const { namespace } = options;
  const container = await containerNamed(config, namespace, name);
  const { id } = container;
  const begunMs = performance.now();
  await withContainerd(config, ({ tasks }) => tasks.pause(namespace, id));
  let runsThere = false;
  try {
    const checkpoint = await dump(config, namespace, id, { name: undefined, stop: false });
    const dumpedMs = performance.now() - begunMs;
    const request = new admin.RestoreRequest()
      .setCheckpoint(checkpoint)
      .setNamespace(namespace)
      .setContainer(id)
      .setWhole(!options.lazy)
      .setNode(options.to);
    let pausedMs = 0;
    const replies = askStream(config.run, AdminService.restore, request);
    const restored = await followRestore(replies, {
      silent: options.json,
      wait: true,
      onRunning: async () => {
        runsThere = true;
        pausedMs = performance.now() - begunMs;
        await endHere(config, namespace, container);
      },
    });
    await ask(config.run, AdminService.removeCheckpoint, new admin.CheckpointRequest().setId(checkpoint));
    const summary = { container: id, to: options.to, dumpedMs, pausedMs, restored };
    if (options.json) printJson(forScripts(summary));
    else print(forPeople(summary));
  } finally {
    if (!runsThere) await withContainerd(config, ({ tasks }) => tasks.resume(namespace, id));
  }
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
    await snapshots.remove(namespace, snapshotter, snapshotKey);
  });
}

interface Summary {
  container: string;
  to: string;
  dumpedMs: number;
  /** From frozen here to running there. */
  pausedMs: number;
  restored: Restored;
}

function forScripts({ container, to, dumpedMs, pausedMs, restored }: Summary) {
  return { container, to, dumped_ms: dumpedMs, paused_ms: pausedMs, ...plain(restored) };
}

function forPeople({ container, to, dumpedMs, pausedMs, restored }: Summary): string {
  return [
    `${container} runs on ${to}.`,
    `frozen     ${milliseconds(pausedMs)}, of that ${milliseconds(dumpedMs)} for the dump`,
    `complete   ${milliseconds(dumpedMs + (restored.completeMs ?? 0))} after it was frozen, ${bytes(restored.totalBytes)} of memory`,
  ].join('\n');
}
