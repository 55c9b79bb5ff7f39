import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { AdminService, admin } from '../proto/admin.ts';
import { call } from '../proto/call.ts';
import { startAdmin } from './admin.ts';
import type { NodeView } from './view.ts';
import { viewTwin } from './view.twin.ts';

const logger = pino({ level: 'silent' });

async function start(t: Test, view: NodeView) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-admin-'));
  const path = join(folder, 'admin.sock');
  await writeFile(path, 'left by a crash');
  const service = await startAdmin(path, view, logger);
  const client = new Client(`unix://${path}`, credentials.createInsecure());
  t.teardown(async () => {
    client.close();
    await service.stop();
    await rm(folder, { recursive: true });
  });
  return { path, client };
}

t.test('status and volumes are told over a socket that only root may use', async (t) => {
  const { path, client } = await start(t, viewTwin());
  t.equal((await stat(path)).mode & 0o777, 0o600);

  const status = (await call(client, AdminService.status, new admin.StatusRequest())).toObject();
  t.match(status, { node: 'n1', volumes: 2, blocks: { count: '1234', bytes: '160000000' }, waitingReads: 3 });
  t.match(status.peersList, [
    { name: 'n2', state: 'up', rttMs: 1.25 },
    { name: 'n3', state: 'unknown', rttMs: 0 },
  ]);

  const { volumesList } = (await call(client, AdminService.volumes, new admin.VolumesRequest())).toObject();
  t.match(volumesList, [
    { complete: false, blocksHere: 20, inUse: true },
    { complete: true, mounted: false },
  ]);
});

t.test('an error inside is a bland one outside', async (t) => {
  const view = {
    ...viewTwin(),
    status: () => {
      throw new Error('a secret of the inside');
    },
  };
  const { client } = await start(t, view);
  const error = await call(client, AdminService.status, new admin.StatusRequest()).catch((error) => error);
  t.match(error.details, /internal error/);
  t.notMatch(error.message, /secret/);
});

t.test('a fresh process takes the socket over from one that still serves', async (t) => {
  const { path } = await start(t, viewTwin());
  const fresh = await startAdmin(path, { ...viewTwin(), volumes: async () => [] }, logger);
  const client = new Client(`unix://${path}`, credentials.createInsecure());
  t.teardown(async () => {
    client.close();
    await fresh.stop();
  });
  const reply = await call(client, AdminService.volumes, new admin.VolumesRequest());
  t.equal(reply.getVolumesList().length, 0);
});
