/** containerd's containers: how each was made, and making one again. */
import { any, ContainersService, containers as pb } from '../../proto/containerd.ts';
import { type Connection, isContainerdError, type Scope } from './connection.ts';

/** A google.protobuf.Any. */
export interface TypedBytes {
  typeUrl: string;
  value: Uint8Array;
}

export interface Container {
  id: string;
  /** '' where it was made of none. */
  image: string;
  labels: Record<string, string>;
  runtime: { name: string; options: TypedBytes | undefined };
  /** The OCI runtime specification, JSON. */
  spec: Buffer;
  snapshotter: string;
  snapshotKey: string;
}

/** All throw `ContainerdError`. */
export interface Containers {
  get(scope: Scope, id: string, signal?: AbortSignal): Promise<Container | undefined>;
  /** By its id, by the beginning of it, or by the name that nerdctl has given it. */
  find(namespace: string, name: string): Promise<Container[]>;
  create(scope: Scope, container: Container): Promise<void>;
  delete(scope: Scope, id: string): Promise<void>;
}

const SPEC_TYPE = 'types.containerd.io/opencontainers/runtime-spec/1/Spec';

export function containers(connection: Connection): Containers {
  return {
    async get(scope, id, signal) {
      try {
        const request = new pb.GetContainerRequest().setId(id);
        const reply = await connection.call(ContainersService.get, scope, request, signal);
        return containerFrom(reply.getContainer()!);
      } catch (error) {
        if (isContainerdError(error, 'not-found')) return undefined;
        throw error;
      }
    },
    async find(namespace, name) {
      const request = new pb.ListContainersRequest().setFiltersList([
        `id==${quoted(name)}`,
        `id~=${quoted(`^${name.replaceAll(/[^\w-]/g, '\\$&')}`)}`,
        `labels."nerdctl/name"==${quoted(name)}`,
      ]);
      const reply = await connection.call(ContainersService.list, namespace, request);
      const found = reply.getContainersList().map(containerFrom);
      return found.filter(({ id }) => id === name).length === 1
        ? found.filter(({ id }) => id === name)
        : found;
    },
    async create(scope, container) {
      const request = new pb.CreateContainerRequest().setContainer(messageOf(container));
      await connection.call(ContainersService.create, scope, request);
    },
    async delete(scope, id) {
      await connection.call(ContainersService.delete, scope, new pb.DeleteContainerRequest().setId(id));
    },
  };
}

function containerFrom(message: pb.Container): Container {
  const options = message.getRuntime()?.getOptions();
  return {
    id: message.getId(),
    image: message.getImage(),
    labels: Object.fromEntries(message.getLabelsMap().toArray()),
    runtime: {
      name: message.getRuntime()?.getName() ?? '',
      options: options && { typeUrl: options.getTypeUrl(), value: options.getValue_asU8() },
    },
    spec: Buffer.from(message.getSpec()?.getValue_asU8() ?? []),
    snapshotter: message.getSnapshotter(),
    snapshotKey: message.getSnapshotKey(),
  };
}

function messageOf(container: Container): pb.Container {
  const { name, options } = container.runtime;
  const runtime = new pb.Container.Runtime().setName(name);
  if (options) runtime.setOptions(anyOf(options));
  const message = new pb.Container()
    .setId(container.id)
    .setImage(container.image)
    .setRuntime(runtime)
    .setSpec(anyOf({ typeUrl: SPEC_TYPE, value: container.spec }))
    .setSnapshotter(container.snapshotter)
    .setSnapshotKey(container.snapshotKey);
  for (const [label, value] of Object.entries(container.labels)) message.getLabelsMap().set(label, value);
  return message;
}

/** As containerd's filters have it: what is in it is no syntax. */
function quoted(value: string): string {
  return JSON.stringify(value);
}

export function anyOf({ typeUrl, value }: TypedBytes): InstanceType<typeof any.Any> {
  const message = new any.Any();
  message.setTypeUrl(typeUrl);
  message.setValue(value);
  return message;
}
