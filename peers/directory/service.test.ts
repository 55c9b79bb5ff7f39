/** Exchanges over gRPC. */
import { Client, credentials, Server, ServerCredentials } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { call } from '../../proto/call.ts';
import { DirectoryService, directory as pb } from '../../proto/directory.ts';
import { implement } from '../../proto/serve.ts';
import { errorToStatus } from '../exchange/errors.ts';
import { answering } from './answering.ts';
import { DirectoryBed, layer, type MadeDirectory, ref } from './bed.twin.ts';
import { RECORDS_PER_REQUEST } from './limits.ts';
import { Reconciler } from './reconcile.ts';
import { decodeRecord, directoryHandlers, encodeRecord, remoteDirectory } from './service.ts';

async function serve(t: Test, { directory, log }: MadeDirectory): Promise<Client> {
  const server = new Server();
  const handlers = directoryHandlers(answering(directory));
  server.addService(DirectoryService, implement(DirectoryService, handlers, errorToStatus(log)));
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    server.forceShutdown();
  });
  return client;
}

t.test('two directories become the same over the wire', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [a, b] = [await bed.directory('n1'), await bed.directory('n2')];
  for (let i = 0; i < 300; i++) {
    await (i % 2 ? a : b).directory.put(await bed.record('n3', 'layer', layer(`l${i}`)));
  }
  await b.directory.publish('ref', ref('app:1', [layer('l1').chainId]));
  const [toA, toB] = [await serve(t, a), await serve(t, b)];
  const pull = (at: MadeDirectory, from: Client) =>
    new Reconciler({ directory: at.directory, clock: bed.clock, log: at.log }).pull(
      remoteDirectory(from, 5000),
      'other',
    );
  t.match(await pull(a, toB), { added: 151, refused: 0 });
  t.match(await pull(b, toA), { added: 150, refused: 0 });
  t.same(a.directory.digests(), b.directory.digests());
  t.match(a.directory.refs('app:1'), [{ node: 'n2', content: ref('app:1', [layer('l1').chainId]) }]);
  t.match(await pull(a, toB), { added: 0 });
});

t.test('questions that break the protocol are answered with INVALID_ARGUMENT', async (t) => {
  const bed = await DirectoryBed.make(t);
  const a = await bed.directory('n1');
  const client = await serve(t, a);
  const ids = (buckets: number, after: number) =>
    new pb.IdsRequest().setBuckets(new Uint8Array(buckets)).setAfter(new Uint8Array(after));
  for (const request of [ids(0, 0), ids(2, 0), ids(257, 0), ids(1, 31)])
    await t.rejects(call(client, DirectoryService.ids, request), { code: 3 });
  for (const bytes of [0, 31, 32 * (RECORDS_PER_REQUEST + 1)]) {
    const request = new pb.RecordsRequest().setIds(new Uint8Array(bytes));
    await t.rejects(call(client, DirectoryService.records, request), { code: 3 });
  }
  t.same(a.log.lines, []);
});

t.test('a record as bytes is the same record', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const record = await bed.record('n2', 'layer', layer('a'));
  t.equal(await directory.put(decodeRecord(encodeRecord(record))), 'added');
  t.equal(await directory.put(record), 'known');
});
