/**
 * Mutual TLS 1.3 between nodes. Both ends show a certificate of the cluster's authority with the node role; a peer is known
 * by the common name in it and never by its address.
 */
import { constants } from 'node:crypto';
import { connect, createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls';
import { ChannelCredentials, ServerCredentials } from '@grpc/grpc-js';
import type { Identity } from '../identity/identity.ts';
import { nodeNameOf } from '../identity/names.ts';

/** A client that connects and then says nothing is dropped after this. */
const HANDSHAKE_TIMEOUT_MS = 5000;
/** Sent instead of an address, which TLS does not take as a server's name. Nobody checks it. */
const SERVER_NAME = 'node.forage';

function contextOptions({ cert, key, ca }: Identity) {
  // No session tickets: a resumed session would skip the check of the certificate's dates.
  return { cert, key, ca, minVersion: 'TLSv1.3', secureOptions: constants.SSL_OP_NO_TICKET } as const;
}

/** grpc-js's own factory cannot ask for a TLS version. */
class MutualTls extends ServerCredentials {
  constructor(identity: Identity) {
    const context = contextOptions(identity);
    super(
      { ...context, requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
      context,
    );
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

export function serverCredentials(identity: Identity): ServerCredentials {
  return new MutualTls(identity);
}

/** Refuses, in the handshake, a server whose certificate is of the authority but no node's. */
function checkNode(_host: string, cert: PeerCertificate): Error | undefined {
  if (nodeNameOf(cert.subject) !== undefined) return undefined;
  return new Error(`the certificate of ${cert.subject?.CN ?? 'nobody'} is not a node's`);
}

/** The client's end, made once for all neighbours. */
export interface ClientTls {
  context: SecureContext;
  credentials: ChannelCredentials;
}

export function clientTls(identity: Identity): ClientTls {
  const context = createSecureContext(contextOptions(identity));
  const credentials = ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: checkNode });
  return { context, credentials };
}

/** What a channel needs besides its credentials. */
export const TLS_CHANNEL_OPTIONS = { 'grpc.ssl_target_name_override': SERVER_NAME };

/**
 * Makes one TLS connection to the address and closes it: answers the node's name, or rejects with the reason, at the
 * latest after `timeoutMs`. grpc-js has no bound of its own on connecting, so a neighbour is knocked at before a channel
 * is opened; a host that swallows packets then leaves no sockets behind.
 */
export function knock(address: string, tls: ClientTls, timeoutMs: number): Promise<string> {
  const { host, port } = splitAddress(address);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(
    {
      host,
      port,
      secureContext: tls.context,
      servername: SERVER_NAME,
      checkServerIdentity: checkNode,
      ALPNProtocols: ['h2'],
    },
    () => resolve(nodeNameOf(socket.getPeerCertificate().subject) ?? ''),
  );
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
