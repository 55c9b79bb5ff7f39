/**
 * Every option, once. The file's parser (config.ts), `forage config` and docs/configuration.md (docs.ts) and the type
 * `Config` are derived from this table. An option keeps the name that it has in the file, so one search finds all its uses.
 */
import { addresses, choice, flag, integer, listenAddress, type Option, path, text } from './option.ts';

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
  replicas: integer(
    {
      default: 2,
      help: 'On how many nodes every block is kept, in all parts of a cluster that can hear each other. With 2, nothing is lost when one node is destroyed, and again once what it had kept is copied. The same on all nodes.',
    },
    1,
    16,
  ),
  trust: text(
    {
      default: 'signed',
      help: 'What is believed of a layer that neighbours offer. "signed": what any node of the cluster has signed. "quorum:K": what K nodes have made of the layer independently of each other, each from the registry; until then the layer is pulled the usual way. A lazy layer skips containerd\'s own check of its digest, hence the choice.',
    },
    '"signed" or "quorum:K" with K from 1 to 1000',
    /^(?:signed|quorum:(?:[1-9]\d{0,2}|1000))$/,
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
      help: 'Where neighbours ask this node for volumes and blocks (TLS with certificates on both sides).',
    }),
    gossip: listenAddress({
      default: '0.0.0.0:7401',
      help: 'Where nodes find each other and tell each other what is new: libp2p, with the same certificates on both sides.',
    }),
    host: text(
      {
        default: '',
        help: 'The name or address under which the other nodes reach this one, at the ports above. Empty: the host name of the machine, which the others then must be able to resolve.',
      },
      'a host name or an IP address',
      /^(?:[A-Za-z0-9](?:[\w.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:.]{2,45})?$/,
    ),
    bootstrap: addresses({
      default: [],
      help: 'Where some nodes of the cluster gossip (port 7401): one that answers is enough, all others are heard of. This node may be in its own list, so all nodes can share one file.',
    }),
    mdns: flag({
      default: false,
      help: 'Find nodes on the local network by multicast DNS, without any bootstrap address. It tells everybody on that network that this node is there; only nodes with a certificate of the cluster are let in.',
    }),
    grace_seconds: integer(
      {
        default: 600,
        help: 'How long a node may be silent before the others copy what it kept: longer than a reboot, so that a reboot moves nothing. The same on all nodes.',
      },
      1,
      86_400,
    ),
  },
  cache: {
    capacity_bytes: integer(
      {
        default: 0,
        help: "What this node has room for, which decides how much of the cluster's blocks it is given to keep. 0: the size of the file system of `root`. Blocks move when it changes.",
      },
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    max_bytes: integer(
      {
        default: 0,
        help: 'Blocks are dropped, those that nobody has used for the longest time first, when all that are here take more. Only blocks go that this node is not given to keep and no running container uses, and each only when all nodes that are to keep it have it. 0: no such bound.',
      },
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    min_free_bytes: integer(
      {
        default: 1 << 30,
        help: 'The same when less than this is free on the file system; nor are blocks copied to this node then.',
      },
      0,
      Number.MAX_SAFE_INTEGER,
    ),
    idle_seconds: integer(
      {
        default: 86_400,
        help: 'The same for blocks that nobody has used for so long, even where space is left. 0: a node keeps only what it is given to keep and what its containers use. Use is taken from access times, which Linux writes once a day only (relatime) for files that are not new.',
      },
      0,
      10 * 365 * 86_400,
    ),
    repair_bytes_per_second: integer(
      {
        default: 8 << 20,
        help: 'How fast this node fetches the blocks that it is given to keep, behind everything that containers wait for. It loads the links of those who have them.',
      },
      1 << 10,
      Number.MAX_SAFE_INTEGER,
    ),
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
      help: 'Fetch, in the background and after everything else, the rest of the volumes that running containers use, and keep it while they run. Off: a node that loses its neighbours also loses what its containers have not read yet.',
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
    drop_blobs: flag({
      default: false,
      help: "Delete a layer's compressed blob from containerd's content store, in all its namespaces, once the nodes that are to keep the layer's volume all have it whole. A node that pulls an image from the registry then has its layers once instead of twice. Containers start and images are listed and inspected as before, as they are on a node that pulled from its neighbours; manifests and configurations stay. What reads the blobs themselves needs them from the registry again. `nerdctl push`, `save` and `convert`, and pulling the image for another snapshotter, fetch them by themselves, and fail while the registry cannot be reached; `nerdctl tag` and `commit` fetch them too, and go on without. `ctr images export`, `push` and `convert`, running the image on another snapshotter, and `forage verify` without a file fail until the image is fetched again (`ctr content fetch`).",
    }),
  },
  checkpoint: {
    lazy: flag({
      default: true,
      help: 'A restored container runs at once, and its memory comes as it is touched, the rest behind it. Until all has come, it depends on the nodes that have it: when they cannot supply a page within `fetch.wait_seconds`, the container is killed, never given wrong memory, and can be restored again. Off: it starts when all memory is here.',
    }),
    tcp: choice(
      {
        default: 'established',
        help: 'What becomes of TCP connections. "established": they are kept where the restored container has the same addresses, which takes a container that was stopped by the checkpoint; where one of its connections has an address that is not there, it finds all of them closed, as after a reset by the other end. "close": it always finds them closed. "refuse": a container that has any is not checkpointed.',
      },
      'established',
      'close',
      'refuse',
    ),
    file_locks: flag({
      default: true,
      help: 'Checkpoint and restore the locks that processes of the container hold on files. Others who wait for the same lock, outside of the container, would not be known.',
    }),
    unix_sockets: flag({
      default: true,
      help: 'Checkpoint containers with unix sockets whose other end is outside of them, such as a log daemon; the restored container finds them closed.',
    }),
  },
  mirror: {
    listen: listenAddress({
      default: '127.0.0.1:7480',
      help: "Where containerd gets, over HTTP, the manifests and configurations of images that the cluster has pulled, when it cannot reach their registry. It must be named in containerd's hosts.toml to be used, after the registry for tags: what a tag stands for here is what a node of this cluster has pulled last, not what the registry would say now. There is no access control, and configurations hold the environment that the image sets, hence the loopback address.",
    }),
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
