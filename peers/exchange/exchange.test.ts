/** Who is let in, and how much one client may take. */
import { randomBytes } from 'node:crypto';
import { connect as dialTls } from 'node:tls';
import { Client, status } from '@grpc/grpc-js';
import t from 'tap';
import { call, callStream } from '../../proto/call.ts';
import { DirectoryService, directory } from '../../proto/directory.ts';
import { PeersService, peer } from '../../proto/peer.ts';
import { Bed, putBlocks, putLayer, tlsOf } from '../bed.twin.ts';
import type { Identity } from '../identity/identity.ts';
import { PeerClient } from './client.ts';
import { receiveVolume } from './receiving.ts';
import { Slots } from './slots.ts';
import { knock, splitAddress, TLS_CHANNEL_OPTIONS } from './tls.ts';

const never = new AbortController().signal;

async function asked(identity: Identity, port: number): Promise<string> {
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(identity));
  try {
    await client.ping(2000);
    return 'answered';
  } catch (error) {
    return (error as Error).message;
  } finally {
    client.close();
  }
}

t.test('a node of the cluster is answered', async (t) => {
  const bed = await Bed.make(t);
  const { port } = await bed.serve(await bed.node('n1'));
  t.equal(await asked(await bed.identity('n2'), port), 'answered');
  t.equal(await knock(`127.0.0.1:${port}`, tlsOf(await bed.identity('n3')), 2000), 'n1');
});

t.test('strangers are refused and named in the log', async (t) => {
  const [bed, other] = [await Bed.make(t), await Bed.make(t)];
  const { ca } = await bed.identity('n0');
  const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
  const tomorrow = new Date(Date.now() + 12 * 60 * 60 * 1000);
  const strangers: [string, Identity, RegExp][] = [
    ['another authority', { ...(await other.identity('n2')), ca }, /certificate: /],
    ['expired', await bed.crafted({ notAfter: yesterday }), /certificate: CERT_HAS_EXPIRED/],
    ['not yet valid', await bed.crafted({ notBefore: tomorrow }), /certificate: CERT_NOT_YET_VALID/],
    ['another role', await bed.crafted({ role: 'forage-user' }), /not a node/],
    ['no name of a node', await bed.crafted({ name: 'UPPER' }), /not a node/],
  ];
  for (const [number, [what, identity, reason]] of strangers.entries()) {
    const node = await bed.node(`n${number + 1}`);
    const { port } = await bed.serve(node);
    t.not(await asked(identity, port), 'answered', what);
    const lines = JSON.stringify(node.log.lines);
    t.match(lines, reason, `${what}: why, in the log`);
    t.match(lines, /127\.0\.0\.1/, `${what}: who, in the log`);
  }
});

t.test('a client without a certificate is refused, and named in the log', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const { port } = await bed.serve(n1);
  const nobody = dialTls({
    host: '127.0.0.1',
    port,
    ca: n1.identity.ca,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['h2'],
  });
  const { code } = await new Promise<NodeJS.ErrnoException>((done) => nobody.on('error', done).resume());
  t.match(code, /CERTIFICATE_REQUIRED/);
  t.match(JSON.stringify(n1.log.lines), /refused.*127\.0\.0\.1|127\.0\.0\.1.*refused/);
});

t.test('who goes away in the middle of the handshake is nobody worth a line in the log', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const { port } = await bed.serve(n1);
  const tls = tlsOf(await bed.identity('n2'));
  const lines = [...n1.log.lines];
  for (let i = 0; i < 10; i++) {
    const socket = dialTls({ host: '127.0.0.1', port, secureContext: tls.context, ALPNProtocols: ['h2'] });
    socket.on('error', () => {}).on('connect', () => setTimeout(() => socket.destroy(), i));
    await new Promise((closed) => socket.on('close', closed));
  }
  t.equal(await asked(await bed.identity('n3'), port), 'answered');
  t.strictSame(n1.log.lines, lines);
});

t.test('nothing older than TLS 1.3 is spoken', async (t) => {
  const bed = await Bed.make(t);
  const { port } = await bed.serve(await bed.node('n1'));
  const identity = await bed.identity('n2');
  const old = dialTls({ ...identity, host: '127.0.0.1', port, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
  const { code } = await new Promise<NodeJS.ErrnoException>((done) => old.on('error', done));
  t.match(code, /PROTOCOL_VERSION/);
});

t.test('a server that is not a node of the cluster is not talked to', async (t) => {
  const [bed, other] = [await Bed.make(t), await Bed.make(t)];
  const n2 = await bed.identity('n2');
  const tls = tlsOf(n2);
  const foreign = await other.fake('n1', {});
  const user = await bed.fake(await bed.crafted({ role: 'forage-user' }), {});
  for (const port of [foreign, user]) {
    await t.rejects(knock(`127.0.0.1:${port}`, tls, 2000));
    t.not(await asked(n2, port), 'answered');
  }
});

t.test('knocking at what is silent or absent ends in time', async (t) => {
  const bed = await Bed.make(t);
  const tls = tlsOf(await bed.identity('n2'));
  const relay = await bed.relay(1);
  relay.fallSilent();
  await t.rejects(knock(`127.0.0.1:${relay.port}`, tls, 100), { message: 'no answer within 100 ms' });
  relay.cut();
  await t.rejects(knock(`127.0.0.1:${relay.port}`, tls, 5000), { code: 'ECONNREFUSED' });
});

t.test('blocks come in the order asked, also twice, and missing ones are named', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const ids = await putBlocks(20, 65_536, n1);
  const { port } = await bed.serve(n1);
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(await bed.identity('n2')));
  t.teardown(() => client.close());
  const absent = randomBytes(32).toString('hex');
  const order = [ids[3]!, absent, ids[0]!, ids[3]!, ...ids];
  const got: [string, number][] = [];
  await client.blocks(order, (id, bytes) => void got.push([id, bytes?.length ?? 0]), never, false);
  t.strictSame(
    got,
    order.map((id) => [id, id === absent ? 0 : 65_536]),
  );
});

t.test('requests beyond their bounds are refused, each with an error of its own', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const { port } = await bed.serve(n1);
  const { credentials } = tlsOf(await bed.identity('n2'));
  const client = new Client(`127.0.0.1:${port}`, credentials, TLS_CHANNEL_OPTIONS);
  t.teardown(() => client.close());
  const layers = (bytes: number) =>
    call(client, DirectoryService.layers, new directory.LayersRequest().setChainIds(new Uint8Array(bytes)));
  const pins = (ids: number) =>
    call(
      client,
      PeersService.pin,
      new peer.PinRequest().setRoots(new Uint8Array(32)).setIds(new Uint8Array(ids * 32)),
    );
  await t.rejects(layers(33), { message: /INVALID_ARGUMENT: 33 bytes of ids/ });
  await t.rejects(layers(100 * 32), { message: /INVALID_ARGUMENT: 3200 bytes of ids/ });
  await t.rejects(pins(0), { message: /INVALID_ARGUMENT: 0 bytes of ids/ });
  await t.rejects(pins(257), { message: /INVALID_ARGUMENT/ });
  const volume = new peer.GetVolumeRequest();
  volume.setRoot(Buffer.alloc(32));
  const pieces = callStream(client, PeersService.getVolume, volume);
  await t.rejects(pieces[Symbol.asyncIterator]().next(), { message: /NOT_FOUND/ });
  t.strictSame(n1.log.lines.slice(1), [], 'none of them is worth a line in the log');
});

t.test('one client that opens calls and reads nothing cannot take the slots of another', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const ids = await putBlocks(50, 65_536, n1);
  const { port } = await bed.serve(n1);
  const greedy = new PeerClient(`127.0.0.1:${port}`, tlsOf(await bed.identity('greedy')));
  t.teardown(() => greedy.close());
  const hold = () => new Promise<void>(() => {});
  const isRefused = ({ code }: { code: status }) => code === status.RESOURCE_EXHAUSTED;
  const probe = () =>
    greedy.blocks(ids.slice(0, 1), () => undefined, never, true).then(() => false, isRefused);
  // The first answers go into buffers on the way, and free their slots: it asks until nothing moves any more.
  while (!(await probe())) greedy.blocks(ids, hold, never, false).catch(() => {});
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(await bed.identity('n2')));
  t.teardown(() => client.close());
  let count = 0;
  await client.blocks(ids, () => void count++, never, true);
  t.equal(count, ids.length);
});

t.test('a node that asks for many volumes at once gets each of them', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const layers = await Promise.all(Array.from({ length: 20 }, () => putLayer([n1])));
  const { port } = await bed.serve(n1);
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(n2.identity));
  t.teardown(() => client.close());
  const fetched = layers.map(({ root }) =>
    receiveVolume(client.volume(root, false, never), root, n2, () => undefined),
  );
  t.same(
    (await Promise.all(fetched)).map(({ root }) => root),
    layers.map(({ root }) => root),
  );
});

t.test('slots are counted for each and for all, and given back', async (t) => {
  const slots = new Slots(2, 3);
  const releases = [slots.take('a'), slots.take('a'), slots.take('b')];
  t.throws(() => slots.take('a'), { message: '2 calls of a are open' });
  t.throws(() => slots.take('b'), { message: '3 calls are open' });
  releases.forEach((release) => {
    release();
  });
  t.equal(slots.open, 0);
  slots.take('a');
});

t.test('addresses are host and port', async (t) => {
  t.same(splitAddress('n1.edge:7400'), { host: 'n1.edge', port: 7400 });
  t.same(splitAddress('[fd00::1]:7400'), { host: 'fd00::1', port: 7400 });
  for (const bad of ['n1', 'n1:', ':7400', 'n1:0', 'n1:65536', 'fd00::1:7400', 'a b:1', 'n1:7400x']) {
    t.throws(() => splitAddress(bad), TypeError, bad);
  }
});
