/** The snapshotter as containerd sees it: over the socket. */

import { join } from 'node:path';
import { Client, credentials, ServerCredentials, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { call, callStream } from '../proto/call.ts';
import { fieldMask, snapshots as pb, SnapshotsService as service } from '../proto/snapshots.ts';
import { makeBed, silent } from './bed.twin.ts';
import { createSnapshotServer } from './server.ts';
import type { Snapshotter } from './types.ts';

async function connect(t: Test, changed: Partial<Snapshotter> = {}): Promise<Client> {
  const { snapshotter, folder } = await makeBed(t);
  const server = createSnapshotServer(Object.assign(snapshotter, changed), silent);
  const address = `unix:${join(folder, 'socket')}`;
  await new Promise((resolve) => server.bindAsync(address, ServerCredentials.createInsecure(), resolve));
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    server.forceShutdown();
  });
  return client;
}

const prepare = (client: Client, key: string, parent = '') =>
  call(client, service.prepare, new pb.PrepareSnapshotRequest().setKey(key).setParent(parent));

const commit = (client: Client, name: string, key: string) =>
  call(client, service.commit, new pb.CommitSnapshotRequest().setName(name).setKey(key));

async function listed(client: Client, ...filters: string[]): Promise<pb.Info.AsObject[]> {
  const infos: pb.Info.AsObject[] = [];
  const request = new pb.ListSnapshotsRequest().setFiltersList(filters);
  for await (const reply of callStream(client, service.list, request))
    infos.push(...reply.toObject().infoList);
  return infos;
}

t.test('every call, through a life of a snapshot', async (t) => {
  const client = await connect(t);
  const made = new pb.PrepareSnapshotRequest().setKey('a');
  made.getLabelsMap().set('l', 'v');
  t.match((await call(client, service.prepare, made)).toObject(), { mountsList: [{ type: 'bind' }] });
  await commit(client, 'base', 'a');
  const view = await call(client, service.view, new pb.ViewSnapshotRequest().setKey('v').setParent('base'));
  const mounts = await call(client, service.mounts, new pb.MountsRequest().setKey('v'));
  t.same(mounts.toObject(), view.toObject());

  const stat = await call(client, service.stat, new pb.StatSnapshotRequest().setKey('base'));
  const info = stat.getInfo()!;
  t.match(info.toObject(), { name: 'base', kind: pb.Kind.COMMITTED, labelsMap: [] });
  t.ok(Math.abs(info.getCreatedAt()!.toDate().getTime() - Date.now()) < 60_000);
  info.getLabelsMap().set('x', 'y');
  const mask = new fieldMask.FieldMask().setPathsList(['labels.x']);
  const update = new pb.UpdateSnapshotRequest().setInfo(info).setUpdateMask(mask);
  t.same((await call(client, service.update, update)).toObject().info?.labelsMap, [['x', 'y']]);
  t.same(
    (await listed(client, 'labels.x==y')).map(({ name }) => name),
    ['base'],
  );
  const usage = await call(client, service.usage, new pb.UsageRequest().setKey('base'));
  t.equal(usage.getInodes(), '1');
  for (const key of ['v', 'base'])
    await call(client, service.remove, new pb.RemoveSnapshotRequest().setKey(key));
  await call(client, service.cleanup, new pb.CleanupRequest());
  t.same(await listed(client), []);
});

t.test("errors have containerd's codes, streams included", async (t) => {
  const client = await connect(t);
  await prepare(client, 'a');
  await t.rejects(prepare(client, 'a'), { code: status.ALREADY_EXISTS });
  await t.rejects(prepare(client, 'b', 'a'), { code: status.INVALID_ARGUMENT });
  await t.rejects(commit(client, 'c', 'none'), { code: status.NOT_FOUND });
  await t.rejects(listed(client, 'name=='), { code: status.INVALID_ARGUMENT });
  await t.rejects(call(client, service.update, new pb.UpdateSnapshotRequest()), {
    code: status.INVALID_ARGUMENT,
  });
  const rebase = new pb.CommitSnapshotRequest().setName('c').setKey('a').setParent('p');
  await t.rejects(call(client, service.commit, rebase), { code: status.UNIMPLEMENTED });
  await commit(client, 'c', 'a');
  await t.rejects(call(client, service.mounts, new pb.MountsRequest().setKey('c')), {
    code: status.FAILED_PRECONDITION,
  });
});

t.test('an unknown error is bland outside', async (t) => {
  const client = await connect(t, { stat: () => Promise.reject(new Error('secret path')) });
  await t.rejects(call(client, service.stat, new pb.StatSnapshotRequest().setKey('a')), {
    code: status.INTERNAL,
    details: /^(?!.*secret)/,
  });
});

t.test('a long list comes in several messages', async (t) => {
  const client = await connect(t);
  const keys = Array.from({ length: 250 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => prepare(client, key)));
  const sizes: number[] = [];
  for await (const reply of callStream(client, service.list, new pb.ListSnapshotsRequest())) {
    sizes.push(reply.getInfoList().length);
  }
  t.same(sizes, [100, 100, 50]);
});
