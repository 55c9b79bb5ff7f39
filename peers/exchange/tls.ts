/**
 * Mutual TLS 1.3 between nodes. Both ends show a certificate of the cluster's authority with the node role; a peer is known
 * by the common name in it and never by its address.
 */
import { constants } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  type ConnectionOptions,
  connect,
  createSecureContext,
  createServer,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls';
import { ChannelCredentials } from '@grpc/grpc-js';
import type { Identity } from '../identity/identity.ts';
import { type IsRevoked, keyOf } from '../identity/keys.ts';
import { nodeNameOf } from '../identity/names.ts';

/** A client that connects and then says nothing is dropped after this. */
const HANDSHAKE_TIMEOUT_MS = 5000;
/** The fastest first, where the processor knows AES; all three are as strong as anybody needs. */
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
/** Sent instead of an address, which TLS does not take as a server's name. Nobody checks it. */
const SERVER_NAME = 'node.forage';

function contextOptions({ cert, key, ca }: Identity) {
  // No session tickets: a resumed session would skip the check of the certificate's dates.
  const secureOptions = constants.SSL_OP_NO_TICKET;
  return { cert, key, ca, minVersion: 'TLSv1.3', ciphers: CIPHERS, secureOptions } as const;
}

/** For a `tls.Server`: whoever gets through has a certificate of the cluster's authority; `nodeNameOf` tells whether it is a node's. */
export function serverOptions(identity: Identity, protocols: string[]): TlsOptions {
  return {
    ...contextOptions(identity),
    requestCert: true,
    rejectUnauthorized: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    ALPNProtocols: protocols,
  };
}

/** Refuses, in the handshake, a server whose certificate is of the authority but no node's. */
function checkNode(_host: string, cert: PeerCertificate): Error | undefined {
  if (nodeNameOf(cert.subject) !== undefined) return undefined;
  return new Error(`the certificate of ${cert.subject?.CN ?? 'nobody'} is not a node's`);
}

/** The client's end, made once for all neighbours. */
export interface ClientTls {
  isRevoked: IsRevoked;
  context: SecureContext;
  credentials: ChannelCredentials;
}

export function clientTls(identity: Identity, isRevoked: IsRevoked): ClientTls {
  const context = createSecureContext(contextOptions(identity));
  const credentials = ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: checkNode });
  return { context, credentials, isRevoked };
}

/** For `tls.connect`, with one protocol. */
export function dialOptions(
  address: { host: string; port: number },
  { context }: ClientTls,
  protocol: string,
): ConnectionOptions {
  return {
    ...address,
    secureContext: context,
    servername: SERVER_NAME,
    checkServerIdentity: checkNode,
    ALPNProtocols: [protocol],
  };
}

/**
 * The server's end of a connection that somebody else has accepted. Rejects when the handshake fails; with ECONNRESET when the
 * other end went away by itself. A TLS server for one connection, because only a server of node:tls refuses by itself whose
 * certificate is not of the authority, and says so when nothing else knows any more whose connection it was.
 */
export function acceptTls(socket: Duplex, options: TlsOptions): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const server = createServer(options, resolve);
  server.on('tlsClientError', (error, { authorizationError }) =>
    // Whom node:tls refuses it just hangs up on; the reason is beside the error.
    reject(authorizationError ? new Error(`certificate: ${authorizationError}`) : error),
  );
  server.emit('connection', socket);
  return promise;
}

/** Throws an error that says why whoever is at the other end, whose certificate TLS has checked, is not a node of the cluster. */
export function nodeOf(socket: TLSSocket, isRevoked: IsRevoked): string {
  const { subject } = socket.getPeerCertificate();
  const name = nodeNameOf(subject);
  if (name === undefined) throw new Error(`the certificate of ${subject?.CN ?? 'nobody'} is not a node's`);
  const cert = socket.getPeerX509Certificate();
  const key = cert && keyOf(cert);
  if (key === undefined) throw new Error(`the certificate of ${name} has no Ed25519 key`);
  if (isRevoked({ name, key })) throw new Error(`${name} is revoked`);
  return name;
}

/** What a channel needs besides its credentials. */
export const TLS_CHANNEL_OPTIONS = { 'grpc.ssl_target_name_override': SERVER_NAME };

/**
 * Makes one TLS connection to the address and closes it: answers the node's name, or rejects with the reason, at the
 * latest after `timeoutMs`. grpc-js has no bound of its own on connecting, so a neighbour is knocked at before a channel
 * is opened; a host that swallows packets then leaves no sockets behind.
 */
export function knock(address: string, tls: ClientTls, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(dialOptions(splitAddress(address), tls, 'h2'), () => {
    try {
      resolve(nodeOf(socket, tls.isRevoked));
    } catch (error) {
      reject(error as Error);
    }
  });
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('closed')));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** `host:port` or `[v6]:port`. Throws TypeError for anything else. */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port < 1 || port > 65535) throw new TypeError(`not host:port: ${JSON.stringify(address)}`);
  return { host: match[1] ?? match[2]!, port };
}

/** The same for an address to listen on, where port 0 takes a free one. Throws TypeError. */
export function splitListen(address: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(address);
  const port = Number(match?.[3]);
  if (!match || port > 65535) throw new TypeError(`not host:port: ${JSON.stringify(address)}`);
  return { host: match[1] ?? match[2]!, port };
}
