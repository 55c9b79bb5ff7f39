/** containerd's tasks: a container's processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { tasks as pb, TasksService } from '../../proto/containerd.ts';
import { mount as mountPb } from '../../proto/snapshots.ts';
import { type Connection, DATA_TIMEOUT_MS, isContainerdError, type Scope } from './connection.ts';
import { anyOf, type TypedBytes } from './containers.ts';
import type { SnapshotMount } from './snapshots.ts';

export interface NewTask {
  id: string;
  rootfs: readonly SnapshotMount[];
  /** `containerd.runc.v1.Options`: instead of the container's own. */
  options: TypedBytes;
  /** Whether the container has one: what is typed there is nothing, what it prints there goes nowhere. */
  hasTerminal: boolean;
}

/** `unknown`: its shim does not answer in time. */
export type TaskState = 'unknown' | 'created' | 'running' | 'stopped' | 'paused' | 'pausing';

const STATES: readonly TaskState[] = ['unknown', 'created', 'running', 'stopped', 'paused', 'pausing'];

/** All throw `ContainerdError`. */
export interface Tasks {
  /** What it prints goes nowhere, and there is nothing to read: nobody is there. */
  create(scope: Scope, task: NewTask, signal?: AbortSignal): Promise<void>;
  /** Answers the process id of the container's first process. A restore happens here, and takes as long as it waits for its data. */
  start(scope: Scope, id: string, signal?: AbortSignal): Promise<number>;
  /** undefined: the container has no task. */
  state(scope: Scope, id: string): Promise<TaskState | undefined>;
  pause(scope: Scope, id: string): Promise<void>;
  resume(scope: Scope, id: string): Promise<void>;
  /** SIGKILL to all of its processes. */
  kill(scope: Scope, id: string): Promise<void>;
  /** Resolves once its first process has ended; throws when that takes half a minute. */
  ended(scope: Scope, id: string): Promise<void>;
  /** One that is not running. */
  delete(scope: Scope, id: string): Promise<void>;
  /** Whatever state it is in, half restored too: afterwards there is none. */
  end(scope: Scope, id: string): Promise<void>;
}

const SIGKILL = 9;
/** What was killed is not gone at once. */
const END_TRIES = 100;
const END_AGAIN_MS = 100;
/**
 * Through pipes of containerd's shim: with no place at all, a restored container would have this machine's /dev/null itself, and CRIU
 * could not dump it again, since no mount of the container holds it.
 */
const NOWHERE = 'file:///dev/null';
/** The same for what it reads: the shim copies it into a pipe, which ends at once. A terminal would be closed by that, and has nobody at all. */
const NOTHING = '/dev/null';

export function tasks({ call }: Connection): Tasks {
  const self: Tasks = {
    async create(scope, { id, rootfs, options, hasTerminal }, signal) {
      const request = new pb.CreateTaskRequest()
        .setContainerId(id)
        .setRootfsList(rootfs.map(messageOf))
        .setStdin(hasTerminal ? '' : NOTHING)
        .setTerminal(hasTerminal)
        .setStdout(hasTerminal ? NOTHING : NOWHERE)
        .setStderr(hasTerminal ? '' : NOWHERE)
        .setOptions(anyOf(options));
      await call(TasksService.create, scope, request, signal);
    },
    async start(scope, id, signal) {
      const request = new pb.StartRequest().setContainerId(id);
      return (await call(TasksService.start, scope, request, signal, DATA_TIMEOUT_MS)).getPid();
    },
    async state(scope, id) {
      try {
        const reply = await call(TasksService.get, scope, new pb.GetRequest().setContainerId(id));
        return STATES[reply.getProcess()?.getStatus() ?? 0] ?? 'unknown';
      } catch (error) {
        if (isContainerdError(error, 'not-found')) return undefined;
        throw error;
      }
    },
    async pause(scope, id) {
      await call(TasksService.pause, scope, new pb.PauseTaskRequest().setContainerId(id));
    },
    async resume(scope, id) {
      await call(TasksService.resume, scope, new pb.ResumeTaskRequest().setContainerId(id));
    },
    async kill(scope, id) {
      const request = new pb.KillRequest().setContainerId(id).setSignal(SIGKILL).setAll(true);
      await call(TasksService.kill, scope, request);
    },
    async ended(scope, id) {
      await call(TasksService.wait, scope, new pb.WaitRequest().setContainerId(id));
    },
    async delete(scope, id) {
      await call(TasksService.delete, scope, new pb.DeleteTaskRequest().setContainerId(id));
    },
    async end(scope, id) {
      const busyEndMs = performance.now() + DATA_TIMEOUT_MS;
      for (let failures = 0; ; await sleep(END_AGAIN_MS)) {
        const state = await self.state(scope, id);
        if (state === undefined) return;
        // The shim is at a restore that was given up, and does nothing else until that has ended.
        if (state === 'unknown' && performance.now() < busyEndMs) continue;
        // One that is not restored yet has nothing to kill; one that is paused dies when it is thawed.
        if (state !== 'stopped') await self.kill(scope, id).catch(() => {});
        if (state === 'paused' || state === 'pausing') await self.resume(scope, id).catch(() => {});
        try {
          await self.delete(scope, id);
          return;
        } catch (error) {
          if (++failures === END_TRIES) throw error;
        }
      }
    },
  };
  return self;
}

function messageOf({ type, source, target, options }: SnapshotMount): InstanceType<typeof mountPb.Mount> {
  return new mountPb.Mount().setType(type).setSource(source).setTarget(target).setOptionsList(options);
}
