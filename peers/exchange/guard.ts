/**
 * Lets in nodes only, before a message of a call is read. TLS has checked that the certificate is of the cluster's
 * authority; that it is a node's is checked here.
 */
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, status } from '@grpc/grpc-js';
import { nodeNameOf } from '../identity/names.ts';
import type { Log } from '../types.ts';

export function nodesOnly(log: Log): ServerInterceptor {
  return (method, call) => {
    const subject = call.getAuthContext().sslPeerCertificate?.subject;
    if (nodeNameOf(subject) !== undefined) return new ServerInterceptingCall(call);
    const refuse = () => {
      log.warn({ peer: call.getPeer(), name: subject?.CN, path: method.path }, 'refused: not a node');
      call.sendStatus({ code: status.PERMISSION_DENIED, details: 'not a node of this cluster' });
    };
    return new ServerInterceptingCall(call, {
      start: (next) => next(new ServerListenerBuilder().withOnReceiveMetadata(refuse).build()),
    });
  };
}
