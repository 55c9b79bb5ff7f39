/** The part of the twin that containers run in: snapshots of one snapshotter, containers, tasks. */
import type { Server } from '@grpc/grpc-js';
import {
  ContainersService,
  containers as containersPb,
  empty,
  TasksService,
  tasks,
} from '../../proto/containerd.ts';
import { type CallContext, type Handlers, implement } from '../../proto/serve.ts';
import { mount, SnapshotsService, snapshots as snapshotsPb } from '../../proto/snapshots.ts';
import { exists, found, notFound, notNow, toStatus } from './twin-errors.ts';

/** Of a namespace. */
export interface Running {
  leases: Map<string, { resources: { type: string; id: string }[] }>;
  /** ChainIDs of layers that the snapshotter has, whether or not containerd knows of them. */
  offered: Set<string>;
  /** By name; those whose name is a chainID are committed. */
  snapshots: Map<string, { parent: string }>;
  containers: Map<string, containersPb.Container>;
  tasks: Map<string, Task>;
}

interface Task {
  state: tasks.Status;
  /** While it was paused: it dies when it is resumed. */
  killed: boolean;
  created: tasks.CreateTaskRequest;
}

type RunningOf = (context: CallContext) => Running;

const LAYER_LABEL = 'containerd.io/snapshot.ref';
const { CREATED, RUNNING, STOPPED, PAUSED } = tasks.Status;
/** Those of the service that a client calls. */
const { prepare, mounts, remove, stat } = SnapshotsService;
const snapshotsService = { prepare, mounts, remove, stat };

export function serveRunning(server: Server, of: RunningOf): void {
  server.addService(snapshotsService, implement(snapshotsService, snapshotHandlers(of), toStatus));
  server.addService(ContainersService, implement(ContainersService, containerHandlers(of), toStatus));
  server.addService(TasksService, implement(TasksService, taskHandlers(of), toStatus));
}

function snapshotHandlers(of: RunningOf): Handlers<typeof snapshotsService> {
  function lease(context: CallContext, snapshotter: string, name: string): void {
    const id = context.headers.get('containerd-lease')[0]?.toString();
    if (id === undefined) return;
    found(of(context).leases.get(id), id).resources.push({ type: `snapshots/${snapshotter}`, id: name });
  }

  return {
    async prepare(request, context) {
      const { snapshots, offered } = of(context);
      const [key, parent] = [request.getKey(), request.getParent()];
      const layer = request.getLabelsMap().get(LAYER_LABEL) ?? '';
      for (const name of [layer, key]) {
        if (!snapshots.has(name)) continue;
        lease(context, request.getSnapshotter(), name);
        throw exists(name);
      }
      if (parent !== '' && !snapshots.has(parent)) throw notFound(parent);
      const name = offered.has(layer) ? layer : key;
      snapshots.set(name, { parent });
      lease(context, request.getSnapshotter(), name);
      if (name === layer) throw exists(layer);
      return new snapshotsPb.PrepareSnapshotResponse().setMountsList(mountsOf(key));
    },
    async mounts(request, context) {
      found(of(context).snapshots.get(request.getKey()), request.getKey());
      return new snapshotsPb.MountsResponse().setMountsList(mountsOf(request.getKey()));
    },
    async remove(request, context) {
      const { snapshots } = of(context);
      found(snapshots.get(request.getKey()), request.getKey());
      if ([...snapshots.values()].some(({ parent }) => parent === request.getKey()))
        throw notNow('it has children');
      snapshots.delete(request.getKey());
      return new empty.Empty();
    },
    async stat(request, context) {
      const { parent } = found(of(context).snapshots.get(request.getKey()), request.getKey());
      const info = new snapshotsPb.Info().setName(request.getKey()).setParent(parent);
      return new snapshotsPb.StatSnapshotResponse().setInfo(info);
    },
  };
}

function mountsOf(key: string): InstanceType<typeof mount.Mount>[] {
  const upper = `upperdir=/${key}`;
  return [new mount.Mount().setType('overlay').setSource('overlay').setOptionsList([upper, 'lowerdir=/l'])];
}

function containerHandlers(of: RunningOf): Handlers<typeof ContainersService> {
  return {
    async get(request, context) {
      const container = found(of(context).containers.get(request.getId()), request.getId());
      return new containersPb.GetContainerResponse().setContainer(container);
    },
    async list(request, context) {
      const containers = [...of(context).containers.values()];
      const chosen = containers.filter((container) =>
        request.getFiltersList().some((filter) => matches(filter, container)),
      );
      return new containersPb.ListContainersResponse().setContainersList(chosen);
    },
    async create(request, context) {
      const container = request.getContainer()!;
      const { containers } = of(context);
      if (containers.has(container.getId())) throw exists(container.getId());
      containers.set(container.getId(), container);
      return new containersPb.CreateContainerResponse().setContainer(container);
    },
    async delete(request, context) {
      if (!of(context).containers.delete(request.getId())) throw notFound(request.getId());
      return new empty.Empty();
    },
  };
}

/** The three forms of containerd's filters in use here. */
function matches(filter: string, container: containersPb.Container): boolean {
  const { field, operator, value } = /^(?<field>id|labels\.".+")(?<operator>==|~=)(?<value>.*)$/.exec(filter)!
    .groups!;
  const label = /^labels\."(.+)"$/.exec(field!)?.[1];
  const own = label === undefined ? container.getId() : (container.getLabelsMap().get(label) ?? '');
  const wanted = JSON.parse(value!) as string;
  return operator === '==' ? own === wanted : new RegExp(wanted).test(own);
}

function taskHandlers(of: RunningOf): Handlers<typeof TasksService> {
  /** containerd finds no task of a container that it does not know. */
  function taskOf(context: CallContext, request: { getContainerId(): string }): Task {
    const { containers, tasks } = of(context);
    found(containers.get(request.getContainerId()), request.getContainerId());
    return found(tasks.get(request.getContainerId()), `task ${request.getContainerId()}`);
  }

  function become(
    task: Task,
    from: readonly tasks.Status[],
    to: tasks.Status,
  ): InstanceType<typeof empty.Empty> {
    if (!from.includes(task.state)) throw notNow(`it is in state ${task.state}`);
    task.state = to;
    return new empty.Empty();
  }

  return {
    async create(request, context) {
      const { containers, tasks: running } = of(context);
      const id = request.getContainerId();
      found(containers.get(id), id);
      if (running.has(id)) throw exists(`task ${id}`);
      running.set(id, { state: CREATED, killed: false, created: request });
      return new tasks.CreateTaskResponse().setContainerId(id);
    },
    async start(request, context) {
      become(taskOf(context, request), [CREATED], RUNNING);
      return new tasks.StartResponse().setPid(1234);
    },
    async delete(request, context) {
      become(taskOf(context, request), [CREATED, STOPPED], STOPPED);
      of(context).tasks.delete(request.getContainerId());
      return new tasks.DeleteResponse();
    },
    async get(request, context) {
      const process = new tasks.Process().setStatus(taskOf(context, request).state);
      return new tasks.GetResponse().setProcess(process);
    },
    async kill(request, context) {
      const task = taskOf(context, request);
      if (task.state !== PAUSED) return become(task, [RUNNING], STOPPED);
      task.killed = true;
      return new empty.Empty();
    },
    pause: async (request, context) => become(taskOf(context, request), [RUNNING], PAUSED),
    async resume(request, context) {
      const task = taskOf(context, request);
      return become(task, [PAUSED], task.killed ? STOPPED : RUNNING);
    },
    async wait(request, context) {
      taskOf(context, request);
      return new tasks.WaitResponse();
    },
  };
}
