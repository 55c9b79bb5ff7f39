/**
 * The peer port: one TLS listener for all that nodes say to each other, handed on by protocol (ALPN). Who is not of this
 * cluster does not get through the handshake, and is named in the log.
 */
import type { AddressInfo } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import type { Identity } from '../identity/identity.ts';
import type { Log } from '../types.ts';
import { serverOptions } from './tls.ts';

/** A stranger that tries again and again is named this often. */
const NAME_STRANGERS_EVERY_MS = 10_000;

export interface PeerListener {
  /** The port that it listens on. */
  port: number;
  /** Ends all connections at once. */
  close(): void;
}

/** `listen` is `host:port`, port 0 takes a free one. Rejects when it cannot be listened on. */
export async function listenTls(
  identity: Identity,
  listen: string,
  log: Log,
  protocols: Record<string, (socket: TLSSocket) => void>,
): Promise<PeerListener> {
  const sockets = new Set<TLSSocket>();
  const server = createServer(serverOptions(identity, Object.keys(protocols)), (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    const accept = protocols[socket.alpnProtocol || ''];
    if (accept) accept(socket);
    else socket.destroy();
  });
  server.on('tlsClientError', strangerNamer(log));
  const { host, port } = listenAddress(listen);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject).listen(port, host, resolve);
  await promise;
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function strangerNamer(log: Log) {
  const namedMs = new Map<string, number>();
  return (error: NodeJS.ErrnoException, { remoteAddress = 'unknown' }: TLSSocket) => {
    // It went away by itself, as a node does that stops: nobody was refused.
    if (error.code === 'ECONNRESET') return;
    const nowMs = performance.now();
    for (const [address, atMs] of namedMs)
      if (nowMs - atMs > NAME_STRANGERS_EVERY_MS) namedMs.delete(address);
    if (namedMs.has(remoteAddress)) return;
    namedMs.set(remoteAddress, nowMs);
    log.warn({ peer: remoteAddress, reason: error.message }, 'a connection was refused in the handshake');
  };
}

function listenAddress(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}
