/**
 * The peer port: one TLS listener for all that nodes say to each other, handed on by protocol (ALPN). Who is not of this
 * cluster does not get through the handshake, and is named in the log.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { realClock } from '../clock.ts';
import type { Identity } from '../identity/identity.ts';
import type { IsRevoked } from '../identity/keys.ts';
import { refusals } from '../refusals.ts';
import type { Log } from '../types.ts';
import { acceptTls, nodeOf, serverOptions, splitListen } from './tls.ts';

export interface PeerListener {
  /** The port that it listens on. */
  port: number;
  /** Ends the connections of whoever is no node any more. */
  recheck(): void;
  /** Ends all connections at once. */
  close(): void;
}

export interface ListenOptions {
  identity: Identity;
  isRevoked: IsRevoked;
  /** `host:port`; port 0 takes a free one. */
  listen: string;
  log: Log;
}

/** A protocol gets the connections of nodes, with the node's name. Rejects when it cannot listen. */
export async function listenTls(
  { identity, isRevoked, listen, log }: ListenOptions,
  protocols: Record<string, (socket: TLSSocket, client: string) => void>,
): Promise<PeerListener> {
  const sockets = new Set<Socket>();
  const nodes = new Set<TLSSocket>();
  const options = serverOptions(identity, Object.keys(protocols));
  const refused = refusals(log, realClock);
  const checked = (socket: TLSSocket) => {
    try {
      return nodeOf(socket, isRevoked);
    } catch (error) {
      refused(socket.remoteAddress ?? 'unknown', (error as Error).message);
      socket.destroy();
      return undefined;
    }
  };
  const accept = (socket: TLSSocket) => {
    const client = checked(socket);
    if (client === undefined) return;
    nodes.add(socket);
    socket.on('close', () => nodes.delete(socket));
    const protocol = protocols[socket.alpnProtocol || ''];
    if (protocol) protocol(socket, client);
    else socket.destroy();
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const { remoteAddress = 'unknown' } = socket;
    acceptTls(socket, options).then(accept, ({ code, message }: NodeJS.ErrnoException) => {
      // Who goes away by itself, as a node does that stops, was not refused.
      if (code !== 'ECONNRESET') refused(remoteAddress, message);
    });
  });
  const { host, port } = splitListen(listen);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    recheck() {
      for (const socket of nodes) checked(socket);
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
