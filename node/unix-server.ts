/** gRPC servers on unix sockets that only root may use. */
import { chmod, rename, rm } from 'node:fs/promises';
import { type Server, ServerCredentials } from '@grpc/grpc-js';

/**
 * Serves at `path` (mode 0600). The socket is bound under another name and renamed, so `path` is never absent or
 * half made while one process takes over from another, and what a crash left there is no obstacle.
 */
export async function listenUnix(server: Server, path: string): Promise<void> {
  const fresh = `${path}.new`;
  await rm(fresh, { force: true });
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${fresh}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );
  await chmod(fresh, 0o600);
  await rename(fresh, path);
}
