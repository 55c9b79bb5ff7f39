/** Servers of plain HTTP, on an address of the configuration. A port that is taken is logged, not thrown: a node without it is still a node. */
import type { Server } from 'node:http';
import type { Log } from '../peers/types.ts';
import { splitAddress } from './config/option.ts';

/** Not imported: that reads every name of the module, and `WebSocket` among them loads a whole HTTP client: 3 MB. */
export const { createServer } = process.getBuiltinModule('node:http');

/** `what` is missing then, for the log. */
export function listenHttp(server: Server, listen: string, what: string, log: Log): Promise<void> {
  return new Promise((resolve) => {
    server.once('listening', resolve);
    server.once('error', (error) => {
      log.error({ err: error, listen }, `no ${what}: cannot listen`);
      resolve();
    });
    server.listen(splitAddress(listen));
  });
}
