/**
 * Malformed input from a seed, to a live server and to a client: each is one error, nothing crashes, nothing stays behind.
 * FUZZ_CASES sets how many (CI: more), SEED repeats a run.
 */
import { randomInt } from 'node:crypto';
import {
  type ClientHttp2Session,
  createSecureServer,
  connect as dialHttp2,
  type ServerHttp2Stream,
} from 'node:http2';
import { connect as dialTcp } from 'node:net';
import { connect as dialTls } from 'node:tls';
import t from 'tap';
import { generator } from '../../blocks/testing.ts';
import type { BlockId } from '../../blocks/types.ts';
import { directory } from '../../proto/directory.ts';
import { peer } from '../../proto/peer.ts';
import { Bed, type LayerTwin, putLayer, tlsOf } from '../bed.twin.ts';
import { PeerClient } from './client.ts';
import { receiveVolume } from './receiving.ts';

const CASES = Number(process.env.FUZZ_CASES ?? 10_000);
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));
const METHODS = [
  'directory.v1.Directory/Layers',
  'peer.v1.Peers/GetVolume',
  'peer.v1.Peers/Nothing',
] as const;

type Random = ReturnType<typeof generator>;

/** gRPC's frame: a flag, a length, a message. */
function frame(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const header = Buffer.alloc(5);
  header[0] = flag;
  header.writeUInt32BE(length >>> 0, 1);
  return Buffer.concat([header, message]);
}

/** A good frame made bad in one or two ways; sometimes left good. */
function spoiled(random: Random, good: Uint8Array): Buffer {
  let message = Buffer.from(good);
  for (let times = random.below(3); times > 0; times--) {
    const at = random.below(message.length + 1);
    const change = random.below(4);
    if (change === 0) message = message.subarray(0, at);
    else if (change === 1)
      message = Buffer.concat([
        message.subarray(0, at),
        random.bytes(random.below(40)),
        message.subarray(at),
      ]);
    else if (change === 2 && at < message.length) message[at]! ^= 1 << random.below(8);
    else if (change === 3) message = random.bytes(random.below(200));
  }
  const lies = [
    undefined,
    undefined,
    undefined,
    0,
    message.length + 1,
    message.length - 1,
    0xffffffff,
    random.below(2 ** 31),
  ];
  return frame(message, random.pick([0, 0, 0, 0, 1, 255]), random.pick(lies) ?? message.length);
}

function requests({ record, root }: LayerTwin): Uint8Array[] {
  const find = new directory.LayersRequest();
  find.setChainIds(Buffer.from(record.chainId.slice('sha256:'.length), 'hex'));
  const volume = new peer.GetVolumeRequest();
  volume.setRoot(Buffer.from(root, 'hex'));
  return [find, volume].map((message) => message.serializeBinary());
}

/** Makes one call with these very bytes; resolves with its gRPC status, or `reset`. */
function raw(session: ClientHttp2Session, method: string, body: Buffer): Promise<string> {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/forage.${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  let status = 'reset';
  const note = (headers: { 'grpc-status'?: string | string[] }) => {
    status = String(headers['grpc-status'] ?? status);
  };
  const { promise, resolve } = Promise.withResolvers<string>();
  stream
    .on('response', note)
    .on('trailers', note)
    .on('error', () => {})
    .on('close', () => resolve(status));
  stream.resume().end(body);
  return promise;
}

t.test('a server answers malformed calls with an error each, and stays as it was', async (t) => {
  t.comment(`SEED=${SEED} FUZZ_CASES=${CASES}`);
  const random = generator(SEED);
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const layer = await putLayer([n1]);
  const good = requests(layer);
  const { port } = await bed.serve(n1);
  const identity = await bed.identity('n2');
  const session = dialHttp2(`https://127.0.0.1:${port}`, {
    ...identity,
    checkServerIdentity: () => undefined,
  });
  t.teardown(() => session.destroy());
  const statuses = new Map<string, number>();
  const one = async () => {
    const status = await raw(session, random.pick(METHODS), spoiled(random, random.pick(good)));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
  };
  const BATCH = 20;
  const heapBytes: number[] = [];
  for (let done = 0; done < CASES; done += BATCH) {
    await Promise.all(Array.from({ length: BATCH }, one));
    if (done % (CASES / 10) < BATCH) heapBytes.push(process.memoryUsage().heapUsed);
  }
  t.comment(
    `statuses: ${JSON.stringify([...statuses])}, heap: ${heapBytes.map((b) => (b / 1e6).toFixed(0))} MB`,
  );
  t.notOk(statuses.has('2'), 'no UNKNOWN: nothing was thrown where nobody looks');
  t.ok(heapBytes.at(-1)! < 2 * heapBytes[1]! + 50e6, 'no growth');
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(identity));
  t.teardown(() => client.close());
  t.equal((await client.directory(5000).layers([layer.record.chainId])).length, 1);
  const faults = n1.log.lines.filter(([message]) => message.includes('failed'));
  t.same(faults, [], 'none of them was an error inside');
});

t.test('a server takes garbage before and after the handshake', async (t) => {
  const random = generator(SEED + 1);
  const bed = await Bed.make(t);
  const { port } = await bed.serve(await bed.node('n1'));
  const identity = await bed.identity('n2');
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  for (let i = 0; i < 200; i++) {
    const garbage = random.bytes(random.below(2000));
    const tls = { ...identity, host: '127.0.0.1', port, checkServerIdentity: () => undefined };
    const socket =
      random.below(2) === 0 ? dialTcp(port, '127.0.0.1') : dialTls({ ...tls, ALPNProtocols: ['h2'] });
    socket.on('error', () => {}).resume();
    socket.write(random.below(2) === 0 ? garbage : Buffer.concat([preface, garbage]));
    socket.setTimeout(50, () => socket.destroy());
    await new Promise((closed) => socket.on('close', closed));
  }
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(identity));
  t.teardown(() => client.close());
  await client.ping(5000);
});

/** What a server might send instead of an answer. */
function answer(stream: ServerHttp2Stream, random: Random, good: readonly Uint8Array[]): void {
  stream.on('error', () => {}).resume();
  const kind = random.below(6);
  if (kind === 0) {
    stream.close(random.below(14));
    return;
  }
  const headers = { ':status': random.pick([200, 200, 200, 404, 500]), 'content-type': 'application/grpc' };
  if (kind === 1) {
    stream.respond({ ...headers, 'grpc-status': String(random.below(20)) }, { endStream: true });
    return;
  }
  stream.respond(headers, { waitForTrailers: true });
  stream.on('wantTrailers', () => {
    if (kind === 2) stream.close();
    else
      stream.sendTrailers({ 'grpc-status': random.pick(['0', '0', '5', '13', 'x']), 'grpc-message': '%zz' });
  });
  for (let i = random.below(4); i > 0; i--) stream.write(spoiled(random, random.pick(good)));
  stream.end();
}

async function garbageServer(
  bed: Bed,
  random: Random,
  good: readonly Uint8Array[],
): Promise<{ port: number; close(): void }> {
  const server = createSecureServer({ ...(await bed.identity('garbage')), requestCert: true });
  server.on('stream', (stream) => answer(stream, random, good));
  server.on('sessionError', () => {});
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

t.test('a client takes garbage for answers: each call ends, and nothing wrong is stored', async (t) => {
  const random = generator(SEED + 2);
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const layer = await putLayer([n1]);
  const good = await replies(layer, n1.blocks.get.bind(n1.blocks), (await n1.volumes.encoded(layer.root))!);
  const server = await garbageServer(bed, random, good);
  const client = new PeerClient(`127.0.0.1:${server.port}`, tlsOf(n2.identity));
  t.teardown(() => {
    client.close();
    server.close();
  });
  const ends = { fulfilled: 0, rejected: 0 };
  const signal = () => AbortSignal.timeout(300);
  for (let done = 0; done < CASES / 10; done += 50) {
    const calls = Array.from({ length: 50 }, () => {
      if (random.below(2) === 0) return client.directory(300).layers([layer.record.chainId]);
      return receiveVolume(client.volume(layer.root, false, signal()), layer.root, n2, () => {});
    });
    for (const { status } of await Promise.allSettled(calls)) ends[status]++;
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.rejected > 0);
  for (const id of n2.blocks.ids()) t.same(await n2.blocks.get(id), await n1.blocks.get(id));
});

async function replies(
  { metadata }: LayerTwin,
  get: (id: BlockId) => Promise<Buffer | undefined>,
  index: Buffer,
): Promise<Uint8Array[]> {
  const found = new directory.RecordsReply();
  found.addRecords(
    new directory.Record().setBody(await get(metadata[1]!).then((bytes) => bytes!.subarray(0, 99))),
  );
  const piece = new peer.GetVolumeReply();
  piece.setIndex(index);
  const more = new peer.GetVolumeReply();
  more.setMetadataZstd((await get(metadata[0]!))!.subarray(0, 1000));
  return [found, piece, more].map((reply) => reply.serializeBinary());
}
