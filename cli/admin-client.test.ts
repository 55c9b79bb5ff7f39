import { join } from 'node:path';
import { Server } from '@grpc/grpc-js';
import { pino } from 'pino';
import t from 'tap';
import { startAdmin } from '../node/admin.ts';
import { controlTwin } from '../node/control.twin.ts';
import { listenUnix } from '../node/unix-server.ts';
import { viewTwin } from '../node/view.twin.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { ask, askStream } from './admin-client.ts';
import { folder } from './bed.twin.ts';

t.test('a node that ends while it is asked is told apart from one that is not there', async (t) => {
  const run = await folder(t);
  const control = controlTwin({ stepMs: 60_000 });
  const node = await startAdmin(join(run, 'admin.sock'), viewTwin(), control, pino({ level: 'silent' }));
  const replies = askStream(run, AdminService.drain, new admin.DrainRequest());
  t.equal((await replies.next()).value?.getTotalBlocks(), '100');
  const rest = replies.next();
  await node.stop();
  await t.rejects(rest, { name: 'Failure', message: /ended meanwhile; ask again/ });
  await t.rejects(ask(run, AdminService.undrain, new admin.UndrainRequest()), { message: /no node answers/ });
});

t.test('a node that is older than the command is to be restarted', async (t) => {
  const run = await folder(t);
  const older = new Server();
  await listenUnix(older, join(run, 'admin.sock'));
  t.teardown(() => older.forceShutdown());
  await t.rejects(ask(run, AdminService.peers, new admin.PeersRequest()), {
    name: 'Failure',
    message: /older version .*systemctl restart forage/,
  });
});
