/**
 * The peer port: one TLS listener for all that nodes say to each other, handed on by protocol (ALPN). Who is not of this
 * cluster does not get through the handshake, and is named in the log.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { realClock } from '../clock.ts';
import type { Identity } from '../identity/identity.ts';
import { refusals } from '../refusals.ts';
import type { Log } from '../types.ts';
import { acceptTls, serverOptions, splitListen } from './tls.ts';

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
  const sockets = new Set<Socket>();
  const options = serverOptions(identity, Object.keys(protocols));
  const refused = refusals(log, realClock);
  const accept = (socket: TLSSocket) => {
    const protocol = protocols[socket.alpnProtocol || ''];
    if (protocol) protocol(socket);
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
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
