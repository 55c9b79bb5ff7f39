/** A cluster in one process, for tests: real certificates, real TLS on loopback, stores in memory or a temporary folder. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect as dial, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { Server } from '@grpc/grpc-js';
import type { Test } from 'tap';
import { blockIdOf } from '../blocks/block.ts';
import { chainIdOf } from '../blocks/digest.ts';
import { type MemoryBlockStore, memoryBlockStore } from '../blocks/memory.ts';
import type { BlockId, ChainId, LayerRecord, Root, VolumeStore } from '../blocks/types.ts';
import { encodeIndex, rootOf } from '../blocks/volume.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import { DirectoryService } from '../proto/directory.ts';
import { PeersService, peer } from '../proto/peer.ts';
import { type Handlers, implement } from '../proto/serve.ts';
import { realClock } from './clock.ts';
import { answering } from './directory/answering.ts';
import { Directory } from './directory/directory.ts';
import { MemoryRecordStore } from './directory/memory.ts';
import { directoryHandlers } from './directory/service.ts';
import { nodeSigner } from './directory/sign.ts';
import type { DirectoryPeer } from './directory/types.ts';
import { Verifier } from './directory/verify.ts';
import { BLOCKS_PROTOCOL, blockHeader, CommandReader } from './exchange/frames.ts';
import { listenTls } from './exchange/listener.ts';
import { injector, type PeerServer, startPeerServer } from './exchange/server.ts';
import { type ClientTls, clientTls } from './exchange/tls.ts';
import { type Claims, certify, initCluster, issueNode, openAuthority } from './identity/authority.ts';
import { type Identity, loadIdentity } from './identity/identity.ts';
import { NODE_ROLE } from './identity/names.ts';
import type { Reachable } from './links.ts';
import { createNeighbours, type RunningNeighbours } from './neighbours.ts';
import type { Log } from './types.ts';

/** Keeps what was logged, as `[message, fields]`. */
export interface LogTwin extends Log {
  lines: [message: string, fields: Record<string, unknown>][];
}

export function logTwin(): LogTwin {
  const lines: LogTwin['lines'] = [];
  const keep = (fields: unknown, message?: string) =>
    lines.push([message ?? '', fields as Record<string, unknown>]);
  const log = { debug() {}, info: keep, warn: keep, error: keep };
  return { ...log, lines } as unknown as LogTwin;
}

const nobody = () => false;

export function tlsOf(identity: Identity): ClientTls {
  return clientTls(identity, nobody);
}

/** One node's stores and what it says of layers. */
export interface NodeTwin {
  identity: Identity;
  isRevoked: () => boolean;
  directory: Directory;
  blocks: MemoryBlockStore;
  volumes: VolumeStore;
  log: LogTwin;
}

export class Bed {
  readonly #t: Test;
  readonly #dir: string;
  /** Who answers at a port of this machine. */
  readonly #names = new Map<number, string>();
  #silent: Promise<Identity> | undefined;

  constructor(t: Test, dir: string) {
    this.#t = t;
    this.#dir = dir;
  }

  static async make(t: Test): Promise<Bed> {
    const dir = await mkdtemp(join(tmpdir(), 'forage-bed-'));
    t.teardown(() => rm(dir, { recursive: true, force: true }));
    await initCluster(join(dir, 'ca'));
    return new Bed(t, dir);
  }

  async identity(name: string): Promise<Identity> {
    return loadIdentity(await issueNode(join(this.#dir, 'ca'), name));
  }

  /** A certificate of the cluster's authority that says something else than `issueNode` would. */
  async crafted(claims: Partial<Claims>): Promise<Identity> {
    const authority = await openAuthority(join(this.#dir, 'ca'));
    const day = 24 * 60 * 60 * 1000;
    const notBefore = new Date(Date.now() - 2 * day);
    const notAfter = new Date(Date.now() + day);
    const all = { role: NODE_ROLE, name: 'crafted', addresses: [], notBefore, notAfter, ...claims };
    const { cert, key } = await certify(authority, all);
    const ca = Buffer.from(authority.cert.toString('pem'));
    return { name: all.name, cert: Buffer.from(cert), key: Buffer.from(key), ca, expires: all.notAfter };
  }

  async node(name: string): Promise<NodeTwin> {
    const identity = await this.identity(name);
    const volumes = await openVolumeStore(join(this.#dir, name, 'volumes'));
    const log = logTwin();
    const directory = await this.directory(identity, log);
    return { identity, isRevoked: nobody, directory, blocks: memoryBlockStore(), volumes, log };
  }

  /** A member that says nothing. */
  #nobody(): Promise<Identity> {
    this.#silent ??= this.identity('nobody');
    return this.#silent;
  }

  async directory(identity: Identity, log: Log = logTwin()): Promise<Directory> {
    const [verifier, signer] = [new Verifier(identity.ca), nodeSigner(identity)];
    const store = new MemoryRecordStore();
    const directory = await Directory.open({ store, verifier, signer, clock: realClock, log });
    this.#t.teardown(() => directory.close());
    return directory;
  }

  /** Serves the node's stores; on `port` when given. */
  async serve(node: NodeTwin, port = 0): Promise<PeerServer> {
    const server = await startPeerServer({
      ...node,
      listen: `127.0.0.1:${port}`,
      directory: answering(node.directory),
      pin: async ({ ids }) => ids.map(() => 'absent'),
    });
    this.#t.teardown(() => server.close());
    this.#names.set(server.port, node.identity.name);
    return server;
  }

  /** A node that answers as the test says; what is not given is not implemented. */
  async fake(as: string | Identity, { blocks, layers, ...handlers }: FakeNode): Promise<number> {
    const absent = () => {
      throw new Error('not in this test');
    };
    const all = {
      ping: async () => new peer.PingReply(),
      getVolume: absent,
      pin: absent,
      restore: absent,
      ...handlers,
    };
    const server = new Server();
    const toStatus = (error: unknown) => ({ code: 13, details: (error as Error).message });
    server.addService(PeersService, implement(PeersService, all as Handlers<typeof PeersService>, toStatus));
    const identity = typeof as === 'string' ? await this.identity(as) : as;
    const nothing = answering(await this.directory(await this.#nobody()));
    const answers = directoryHandlers(layers ? { ...nothing, layers } : nothing);
    server.addService(DirectoryService, implement(DirectoryService, answers, toStatus));
    const listener = await listenTls(
      { identity, isRevoked: nobody, listen: '127.0.0.1:0', log: logTwin() },
      {
        h2: injector(server),
        [BLOCKS_PROTOCOL]: (socket) => (blocks ? answerBlocks(socket, blocks) : socket.destroy()),
      },
    );
    this.#t.teardown(() => {
      listener.close();
      server.forceShutdown();
    });
    this.#names.set(listener.port, identity.name);
    return listener.port;
  }

  neighbours(node: NodeTwin, ports: readonly number[], waitMs = 20_000): RunningNeighbours {
    const discovery = { publish: async () => {}, subscribe: () => () => {} };
    const trust = { kind: 'signed' } as const;
    const neighbours = createNeighbours({ ...node, discovery, trust, waitMs, clock: realClock });
    neighbours.follow(this.members(ports));
    this.#t.teardown(() => neighbours.close());
    return neighbours;
  }

  /** As membership would tell of those who answer at these ports. */
  members(ports: readonly number[]): Reachable[] {
    return ports.map((port) => ({
      name: this.#names.get(port) ?? 'nobody',
      service: `127.0.0.1:${port}`,
      state: { kind: 'alive' },
    }));
  }

  /** In front of a server: forwards until told otherwise. */
  async relay(port: number): Promise<Relay> {
    const relay = new Relay(port);
    await relay.listen();
    this.#names.set(relay.port, this.#names.get(port) ?? 'nobody');
    this.#t.teardown(() => relay.cut());
    return relay;
  }
}

/** What is not given answers as a node does that has nothing, or fails. */
export type FakeNode = Partial<Handlers<typeof PeersService>> & {
  blocks?: FakeBlocks;
  layers?: DirectoryPeer['layers'];
};

/**
 * Answers one request as the test says. `send` sends a frame, `claimed` in place of its length; resolves when there is room
 * for more. The signal is aborted when the request is cancelled or the connection ends.
 */
export type FakeBlocks = (
  ids: BlockId[],
  send: (bytes: Uint8Array, claimed?: number) => Promise<void>,
  signal: AbortSignal,
) => Promise<void>;

function answerBlocks(socket: TLSSocket, blocks: FakeBlocks): void {
  const commands = new CommandReader();
  const open = new Map<number, AbortController>();
  const room = () => new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve));
  const ask = (request: number, ids: BlockId[]) => {
    const controller = new AbortController();
    open.set(request, controller);
    const send = async (bytes: Uint8Array, claimed = bytes.length) => {
      controller.signal.throwIfAborted();
      socket.write(blockHeader(request, claimed));
      if (!socket.write(bytes)) await room();
    };
    blocks(ids, send, controller.signal).catch(() => {});
  };
  socket.on('data', (chunk: Buffer) => {
    for (const command of commands.read(chunk)) {
      if (command.kind === 'ask') ask(command.request, command.ids);
      else open.get(command.request)?.abort();
    }
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    for (const controller of open.values()) controller.abort();
  });
}

/** Forwards TCP to a port of this machine. Can fall silent (a black hole: connections stay, nothing moves) or break. */
export class Relay {
  port = 0;
  readonly #to: number;
  readonly #sockets = new Set<Socket>();
  #server: NetServer | undefined;
  #silent = false;

  constructor(to: number) {
    this.#to = to;
  }

  async listen(): Promise<void> {
    const server = createServer((near) => this.#accept(near));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject).listen(this.port, '127.0.0.1', resolve);
    await promise;
    this.#server = server;
    this.port = (server.address() as { port: number }).port;
  }

  #accept(near: Socket): void {
    this.#keep(near);
    if (this.#silent) return;
    const far = this.#keep(dial(this.#to, '127.0.0.1'));
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  /** From now on nothing moves; new connections are accepted and hear nothing. */
  fallSilent(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  /** Connections break, and new ones are refused, until `listen`. */
  cut(): void {
    this.#server?.close();
    this.#server = undefined;
    this.#silent = false;
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Blocks of random bytes, put into each of the nodes. */
export async function putBlocks(count: number, sizeBytes: number, ...nodes: NodeTwin[]): Promise<BlockId[]> {
  const ids: BlockId[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = randomBytes(sizeBytes);
    const id = blockIdOf(bytes);
    for (const { blocks } of nodes) await blocks.put(id, bytes);
    ids.push(id);
  }
  return ids;
}

export interface LayerTwin {
  record: LayerRecord;
  root: Root;
  metadata: BlockId[];
  data: BlockId[];
}

/** A layer of random blocks that each of the nodes has made itself, on top of another or lowest. */
export async function putLayer(nodes: NodeTwin[], parent: ChainId | '' = ''): Promise<LayerTwin> {
  const metadata = await putBlocks(3, 4096, ...nodes);
  const data = await putBlocks(20, 65_536, ...nodes);
  const encoded = encodeIndex('erofs-tar-lz4-1', [
    ...metadata.map((id) => ({ id, sizeBytes: 4096, metadata: true })),
    ...data.map((id) => ({ id, sizeBytes: 65_536, metadata: false })),
    { id: metadata[0]!, sizeBytes: 4096, metadata: true },
  ]);
  const root = rootOf(encoded);
  const diffId = `sha256:${randomBytes(32).toString('hex')}`;
  const record: LayerRecord = {
    chainId: chainIdOf(parent, diffId),
    diffId,
    parent,
    root,
    format: 'erofs-tar-lz4-1',
    origin: 'ingested',
  };
  for (const { volumes, directory } of nodes) {
    await volumes.put(root, encoded);
    await directory.publish('layer', record);
  }
  return { record, root, metadata, data };
}

/** Resolves when every neighbour has been tried at least once. */
export async function settled({ peers }: RunningNeighbours): Promise<void> {
  while (peers().some(({ state }) => state === 'unknown')) await new Promise((next) => setTimeout(next, 5));
}
