import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Client, credentials, status } from '@grpc/grpc-js';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { AdminService, admin } from '../proto/admin.ts';
import { call, callStream } from '../proto/call.ts';
import { directory } from '../proto/directory.ts';
import { type AdminControl, startAdmin } from './admin.ts';
import { controlTwin, someImages, someLayer, somePeers } from './control.twin.ts';
import type { NodeView } from './view.ts';
import { viewTwin } from './view.twin.ts';

const logger = pino({ level: 'silent' });

async function start(t: Test, view: NodeView, control: AdminControl = controlTwin(), log = logger) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-admin-'));
  const path = join(folder, 'admin.sock');
  await writeFile(path, 'left by a crash');
  const service = await startAdmin(path, view, control, log);
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
  const view = { ...viewTwin(), volumes: async () => [] };
  const fresh = await startAdmin(path, view, controlTwin(), logger);
  const client = new Client(`unix://${path}`, credentials.createInsecure());
  t.teardown(async () => {
    client.close();
    await fresh.stop();
  });
  const reply = await call(client, AdminService.volumes, new admin.VolumesRequest());
  t.equal(reply.getVolumesList().length, 0);
});

t.test('members and images are told as the control has them, with 0 for what is not known', async (t) => {
  const { client } = await start(t, viewTwin());
  const { membersList } = (await call(client, AdminService.peers, new admin.PeersRequest())).toObject();
  t.same(membersList[0], { ...somePeers[0], capacityBytes: '64000000000' });
  t.match(membersList[1], { name: 'n3', state: 'gone', rttMs: 0, bytesPerSecond: 0, ownedShare: 0.25 });

  const { imagesList } = (await call(client, AdminService.images, new admin.ImagesRequest())).toObject();
  const { nodes, ...image } = someImages[0]!;
  t.same(imagesList[0], {
    ...image,
    nodesList: nodes,
    createdMs: '1700000000000',
    blockBytes: '40000000',
    bytesHere: '10000000',
  });
});

t.test('what changes something reaches the control, and its answer comes back', async (t) => {
  const control = controlTwin();
  const { client } = await start(t, viewTwin(), control);
  const name = someImages[0]!.name;
  const remove = new admin.RemoveImageRequest().setName(name);
  t.same((await call(client, AdminService.removeImage, remove)).toObject(), {
    name,
    layersFreed: 2,
    layersShared: 1,
    stillUsedByList: ['n1', 'n2'],
  });
  t.same((await call(client, AdminService.collect, new admin.CollectRequest())).toObject(), {
    removed: { count: '12', bytes: '3400000' },
    left: { count: '1234', bytes: '160000000' },
  });
  const record = new directory.Record().setBody(Uint8Array.of(1)).setCertificate(Uint8Array.of(2));
  await call(client, AdminService.revoke, new admin.RevokeRequest().setRecord(record));
  t.same(
    control.revoked.map(({ body, certificate, signature }) => [[...body], [...certificate], [...signature]]),
    [[[1], [2], []]],
  );
  const verify = new admin.VerifyRequest().setLayer(someLayer.diffId).setFile('/tmp/layer.tar.gz');
  const { ingestedByList, ...layer } = (await call(client, AdminService.verify, verify)).toObject();
  t.same({ ...layer, ingestedBy: ingestedByList }, someLayer);
  await call(client, AdminService.verify, new admin.VerifyRequest().setLayer(someLayer.chainId));
  t.same(control.verifiedFiles, ['/tmp/layer.tar.gz', undefined]);
});

t.test('long work tells its progress until it is done; draining stays until it is undone', async (t) => {
  const control = controlTwin();
  const { client } = await start(t, viewTwin(), control);
  const prefetch = new admin.PrefetchRequest().setImage(someImages[0]!.name);
  for (const replies of [
    callStream(client, AdminService.drain, new admin.DrainRequest()),
    callStream(client, AdminService.prefetch, prefetch),
  ]) {
    const done: string[] = [];
    for await (const progress of replies) done.push(`${progress.getDoneBytes()}/${progress.getTotalBytes()}`);
    t.equal(done.length, 5);
    t.equal(done[0], '0/10000000');
    t.equal(done.at(-1), '10000000/10000000');
  }
  t.equal(control.draining, true);
  await call(client, AdminService.undrain, new admin.UndrainRequest());
  t.equal(control.draining, false);
});

t.test('a client that leaves ends a prefetch', async (t) => {
  const ended = Promise.withResolvers<void>();
  const control: AdminControl = {
    ...controlTwin(),
    async *prefetch(_image, signal) {
      signal.addEventListener('abort', () => ended.resolve());
      yield { doneBlocks: 0, totalBlocks: 1, doneBytes: 0, totalBytes: 1 };
      await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    },
  };
  const { client } = await start(t, viewTwin(), control);
  const request = new admin.PrefetchRequest().setImage('app:1');
  for await (const _progress of callStream(client, AdminService.prefetch, request)) break;
  await ended.promise;
});

t.test(
  'what cannot be done as asked is a status of its own, with its message, and not in the log',
  async (t) => {
    const lines: string[] = [];
    const sink = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk));
        done();
      },
    });
    const { client } = await start(t, viewTwin(), controlTwin({ members: [] }), pino(sink));
    const failed = (reply: Promise<unknown>) => reply.then(String, (error) => error);
    const drained = async () => {
      for await (const _progress of callStream(client, AdminService.drain, new admin.DrainRequest()));
    };
    const remove = (name: string) =>
      call(client, AdminService.removeImage, new admin.RemoveImageRequest().setName(name));
    const verify = (layer: string, file = '') =>
      call(client, AdminService.verify, new admin.VerifyRequest().setLayer(layer).setFile(file));
    const { NOT_FOUND, INVALID_ARGUMENT, FAILED_PRECONDITION } = status;
    const cases: [Promise<unknown>, status, RegExp][] = [
      [remove('app:9'), NOT_FOUND, /^no node of the cluster has pulled app:9$/],
      [drained(), FAILED_PRECONDITION, /^there is no other node/],
      [remove(''), INVALID_ARGUMENT, /an image's name has/],
      [remove(`a${'b'.repeat(512)}`), INVALID_ARGUMENT, /an image's name has/],
      [remove('a b'), INVALID_ARGUMENT, /an image's name has/],
      [verify('abc'), INVALID_ARGUMENT, /chainID or diffID: sha256:/],
      [verify(someLayer.diffId, 'layer.tar'), INVALID_ARGUMENT, /absolute path/],
      [verify(someLayer.diffId, '/a\0b'), INVALID_ARGUMENT, /absolute path/],
      [call(client, AdminService.revoke, new admin.RevokeRequest()), INVALID_ARGUMENT, /no record/],
    ];
    for (const [reply, code, message] of cases) {
      const error = await failed(reply);
      t.equal(error.code, code, error.details);
      t.match(error.details, message);
    }
    t.same(lines, []);
  },
);

t.test('an error inside long work is a bland one outside too, and its cause is in the log', async (t) => {
  const logged = Promise.withResolvers<string>();
  const sink = new Writable({ write: (chunk) => logged.resolve(String(chunk)) });
  const control: AdminControl = {
    ...controlTwin(),
    // biome-ignore lint/correctness/useYield: it fails before
    async *drain() {
      throw new Error('a secret of the inside');
    },
  };
  const { client } = await start(t, viewTwin(), control, pino(sink));
  const drain = callStream(client, AdminService.drain, new admin.DrainRequest());
  const error = await drain.toArray().catch((error) => error);
  t.equal(error.code, status.INTERNAL);
  t.notMatch(error.message, /secret/);
  t.match(JSON.parse(await logged.promise), { path: AdminService.drain.path, err: { message: /secret/ } });
});
