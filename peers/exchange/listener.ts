/**
 * The peer port: one TLS listener for all that nodes say to each other, handed on by protocol (ALPN). Who is not of this
 * cluster does not get through the handshake, and is named in the log.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { realClock } from '../clock.ts';
import type { Identity } from '../identity/identity.ts';
import { refusals } from '../refusals.ts';
import type { Log } from '../types.ts';
import { serverOptions } from './tls.ts';

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
    secure(socket, options, accept, refused);
  });
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

/** A TLS server for one connection: by the time that it says of one that it failed, nothing else knows whose it was. */
function secure(
  socket: Socket,
  options: ReturnType<typeof serverOptions>,
  accept: (socket: TLSSocket) => void,
  refused: (peer: string, reason: string) => void,
): void {
  const { remoteAddress = 'unknown' } = socket;
  const server = createTlsServer(options, accept);
  server.on('tlsClientError', (error: NodeJS.ErrnoException, { authorizationError }) => {
    // Whom node:tls refuses it just hangs up on; the reason is beside the error.
    if (authorizationError) refused(remoteAddress, `certificate: ${authorizationError}`);
    // Without a reason it went away by itself, as a node does that stops: nobody was refused.
    else if (error.code !== 'ECONNRESET') refused(remoteAddress, error.message);
  });
  server.emit('connection', socket);
}

function listenAddress(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}
