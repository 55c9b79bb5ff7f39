/** The gRPC server that containerd's proxy plugin talks to; the node binds it to its socket (root only). */
import { Server } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { implement } from '../proto/serve.ts';
import { SnapshotsService } from '../proto/snapshots.ts';
import { errorToStatus } from './errors.ts';
import { snapshotsHandlers } from './service.ts';
import type { Snapshotter } from './types.ts';

/** containerd limits a label to 4 KiB and a key to a few hundred bytes: no request comes near this. */
const REQUEST_BYTES_MAX = 4 * 1024 * 1024;
/** containerd has one connection; each container that starts has a few calls under way. */
const CONCURRENT_STREAMS_MAX = 1024;

export function createSnapshotServer(snapshotter: Snapshotter, logger: Logger): Server {
  const server = new Server({
    'grpc.max_receive_message_length': REQUEST_BYTES_MAX,
    'grpc.max_concurrent_streams': CONCURRENT_STREAMS_MAX,
  });
  server.addService(
    SnapshotsService,
    implement(SnapshotsService, snapshotsHandlers(snapshotter), errorToStatus(logger)),
  );
  return server;
}
