/**
 * Every option, once. The file's parser (config.ts), `forage config` and docs/configuration.md (docs.ts) and the type
 * `Config` are derived from this table. An option keeps the name that it has in the file, so one search finds all its uses.
 */
import { addresses, choice, flag, integer, listenAddress, type Option, path } from './option.ts';

/** Two levels: options, and groups of options (tables in the file). */
export const options = {
  root: path({
    default: '/var/lib/forage',
    help: "Where blocks, volumes, records and the containers' writable layers are kept. It needs room for the images' blocks and for what containers write. Its file system must be one that overlayfs accepts as an upper layer (ext4, xfs, btrfs). Changing it starts with an empty store: stop all containers first.",
  }),
  run: path(
    {
      default: '/run/forage',
      help: "Sockets and mounts. It must be on a tmpfs that both units see, and short: the paths of all layers of a container share one page of mount options. Change it only while no container runs, and the sockets named in containerd's configuration with it.",
    },
    32,
  ),
  log: {
    level: choice(
      {
        default: 'info',
        help: 'What goes to the journal. "debug" writes a line for every layer and every peer request.',
      },
      'error',
      'warn',
      'info',
      'debug',
    ),
  },
  identity: {
    cert: path({
      default: '/etc/forage/node.crt',
      help: "This node's certificate, made by `forage cluster issue`. Its common name is the node's name.",
    }),
    key: path({
      default: '/etc/forage/node.key',
      help: "The certificate's private key. Only root may read it.",
    }),
    ca: path({
      default: '/etc/forage/ca.crt',
      help: "The cluster's certificate authority. Whoever holds a node certificate of it is a neighbour, nobody else is.",
    }),
  },
  peers: {
    listen: listenAddress({
      default: '0.0.0.0:7400',
      help: 'Where neighbours ask this node for layers and blocks (TLS with certificates on both sides).',
    }),
    static: addresses({
      default: [],
      help: 'The neighbours. A node may be in its own list, so all nodes can share one file. An empty list makes forage a local snapshotter.',
    }),
  },
  fetch: {
    wait_seconds: integer(
      {
        default: 600,
        help: 'How long a read in a container waits for a block that no neighbour can give before it fails with an input/output error. Programs seldom survive such an error, so be generous: a waiting container can always be killed.',
      },
      1,
      86_400,
    ),
    lookup_ms: integer(
      {
        default: 200,
        help: 'How long a pull waits for neighbours to say whether they have a layer. It is spent in full, once a layer, only when a neighbour does not answer. Below the round-trip time of the network every layer is downloaded from the registry.',
      },
      1,
      60_000,
    ),
    completion: flag({
      default: true,
      help: 'Fetch, in the background and after everything else, the rest of the volumes that running containers use. Off: a node that loses its neighbours also loses what its containers have not read yet.',
    }),
  },
  fuse: {
    transport: choice(
      {
        default: 'kernel',
        help: 'How the volume server talks to the kernel. "kernel" is twice as fast and survives a crash of the server; "fuse-native" goes through libfuse 2, and a crash of it fails the reads of running containers.',
      },
      'kernel',
      'fuse-native',
    ),
  },
  ingest: {
    enabled: flag({
      default: true,
      help: 'Make volumes of the layers that this node unpacks, so that neighbours can have them. Off: this node takes from others and offers only what it took.',
    }),
    compression: choice(
      {
        default: 'lz4',
        help: 'How the files in new volumes are compressed. "none" makes them about 1.7 times as large, "lz4hc" 15 % and "zstd" 25 % smaller at ten times the processor time, once a layer. Set it the same on all nodes: a layer made with two settings makes two volumes without a block in common.',
      },
      'none',
      'lz4',
      'lz4hc',
      'zstd',
    ),
  },
  containerd: {
    address: path({
      default: '/run/containerd/containerd.sock',
      help: "containerd's socket. Layers are read from its content store to be ingested. It need not be there when forage starts.",
    }),
  },
  metrics: {
    listen: listenAddress({
      default: '127.0.0.1:7490',
      help: 'Where Prometheus metrics are served, at /metrics (HTTP). There is no access control, hence the loopback address.',
    }),
  },
} as const;

type ValueOf<T> = T extends Option<infer V> ? V : { readonly [K in keyof T]: ValueOf<T[K]> };

/** A checked configuration, with the table's shape: `config.fetch.wait_seconds`. */
export type Config = ValueOf<typeof options>;

/** All options under their names in the file, such as `fetch.wait_seconds`, in the table's order. */
export function optionEntries(): [name: string, option: Option<string | number | boolean | string[]>][] {
  return Object.entries(options).flatMap(([key, entry]) =>
    isOption(entry)
      ? [[key, entry] as [string, Option<never>]]
      : Object.entries(entry).map(([name, option]) => [`${key}.${name}`, option] as [string, Option<never>]),
  );
}

function isOption(entry: object): entry is Option<never> {
  return 'check' in entry;
}
