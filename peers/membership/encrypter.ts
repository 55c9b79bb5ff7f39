/**
 * libp2p's connection encrypter: mutual TLS 1.3 with the node's certificate, the same as on the peer port. The peer id of the
 * other end is that of the key in its certificate. Who is no node of this cluster does not get through, and is named in the log.
 *
 * A client of TLS 1.3 is done before the server has looked at its certificate; libp2p's choice of a multiplexer, which follows,
 * waits for the server, so a refused client never has a connection.
 */
import { connect, type TLSSocket } from 'node:tls';
import {
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  type SecuredConnection,
  UnexpectedPeerError,
} from '@libp2p/interface';
import type { Clock } from '../clock.ts';
import { acceptTls, clientTls, dialOptions, serverOptions } from '../exchange/tls.ts';
import type { Identity } from '../identity/identity.ts';
import type { Refusals } from '../refusals.ts';
import { type Certificates, type NodeCertificate, RefusedError } from './certificates.ts';
import { StreamSocket, TlsStream } from './tls-stream.ts';

/** As libp2p names it before TLS begins, and in TLS (ALPN), so that it is never taken for a connection to the peer port. */
export const ENCRYPTION = '/forage-tls/1';

export interface EncrypterOptions {
  identity: Identity;
  certificates: Certificates;
  refused: Refusals;
  clock: Clock;
}

/** Errors of connections that broke: nobody was refused. */
const BROKEN = new Set(['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

export function nodeEncrypter({
  identity,
  certificates,
  refused,
  clock,
}: EncrypterOptions): ConnectionEncrypter {
  const forServer = serverOptions(identity, [ENCRYPTION]);
  const forClient = dialOptions(
    { host: '', port: 0 },
    clientTls(identity, () => false),
    ENCRYPTION,
  );

  async function secure(
    below: MessageStream,
    { signal, remotePeer }: SecureConnectionOptions,
    handshake: (socket: StreamSocket) => Promise<TLSSocket>,
  ): Promise<SecuredConnection> {
    const socket = new StreamSocket(below);
    const abort = () => socket.destroy(Object.assign(new Error('took too long'), { code: 'ABORT_ERR' }));
    signal?.addEventListener('abort', abort, { once: true });
    try {
      const tls = await handshake(socket);
      const node = nodeOf(tls, certificates);
      if (remotePeer && !node.peerId.equals(remotePeer)) {
        throw new UnexpectedPeerError(`${node.name} is not the peer that was dialled`);
      }
      return { connection: new TlsStream(tls, below, clock), remotePeer: node.peerId };
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      if (!BROKEN.has(code)) refused(hostOf(below), message);
      socket.destroy();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  return {
    protocol: ENCRYPTION,
    secureInbound: (below, options = {}) => secure(below, options, (socket) => acceptTls(socket, forServer)),
    secureOutbound: (below, options = {}) => secure(below, options, (socket) => dial(socket, forClient)),
  };
}

function dial(socket: StreamSocket, options: ReturnType<typeof dialOptions>): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const tls = connect({ ...options, socket }, () => resolve(tls));
  tls.on('error', reject);
  tls.on('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
  return promise;
}

/** Throws RefusedError. */
function nodeOf(tls: TLSSocket, certificates: Certificates): NodeCertificate {
  if (tls.alpnProtocol !== ENCRYPTION) throw new RefusedError('it speaks another protocol');
  return certificates.check(tls.getPeerX509Certificate()!.raw);
}

/** The IP address of the other end. */
function hostOf(stream: MessageStream): string {
  const { remoteAddr } = stream as { remoteAddr?: { getComponents(): { value?: string }[] } };
  return remoteAddr?.getComponents()[0]?.value ?? 'unknown';
}
