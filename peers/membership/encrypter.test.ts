/** Who gets a connection, and who does not. */
import { connect as dialTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect as dialTls } from 'node:tls';
import t, { type Test } from 'tap';
import type { Identity } from '../identity/identity.ts';
import { VirtualClock } from './clock.twin.ts';
import { Cluster, reasons, until } from './cluster.twin.ts';
import { drained } from './drained.ts';
import { ENCRYPTION } from './encrypter.ts';
import { INBOUND_BURST_BYTES, INBOUND_BYTES_PER_SECOND } from './limits.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

t.test('two nodes connect, and know each other by the key of the certificate', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.host(await cluster.identity('n1'));
  const n2 = await cluster.host(await cluster.identity('n2'));
  t.equal(await n2.host.dial(n1.host.address), n1.host.peerId);
  t.ok(n2.host.isConnected(n1.host.peerId));
  await until(() => n1.host.isConnected(n2.host.peerId));
  t.equal(n1.host.connections()[0]?.encryption, ENCRYPTION);
  t.strictSame([...n1.log.lines, ...n2.log.lines], []);
});

t.test('another node than the one that was dialled is refused', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.host(await cluster.identity('n1'));
  const n2 = await cluster.host(await cluster.identity('n2'));
  const n3 = await cluster.host(await cluster.identity('n3'));
  await t.rejects(n2.host.dial(n1.host.address, n3.host.peerId), /n1 is not the peer that was dialled/);
  t.notOk(n2.host.isConnected(n1.host.peerId));
  t.match(reasons(n2.log), ['n1 is not the peer that was dialled']);
  t.equal(await n2.host.dial(n1.host.address, n1.host.peerId), n1.host.peerId);
});

async function strangers(t: Test, cluster: Cluster): Promise<[string, Identity, RegExp][]> {
  const other = await Cluster.make(t);
  const { ca } = await cluster.identity('n1');
  const { bed } = cluster;
  return [
    ['of another authority', { ...(await other.identity('n2')), ca }, /certificate: |not of this cluster/],
    ['expired', await bed.crafted({ notAfter: new Date(Date.now() - DAY_MS) }), /CERT_HAS_EXPIRED|expired/],
    [
      'not yet valid',
      await bed.crafted({ notBefore: new Date(Date.now() + DAY_MS / 2) }),
      /NOT_YET_VALID|not yet/,
    ],
    ['of another role', await bed.crafted({ role: 'forage-user' }), /for no node/],
    ['with a name that none can have', await bed.crafted({ name: 'UPPER' }), /for no node/],
  ];
}

t.test('strangers get no connection, whoever dials, and the log says who and why', async (t) => {
  const cluster = await Cluster.make(t);
  for (const [kind, identity, reason] of await strangers(t, cluster)) {
    const n1 = await cluster.host(await cluster.identity('n1'));
    const stranger = await cluster.host(identity);
    await t.rejects(stranger.host.dial(n1.host.address), `${kind}, as a client`);
    t.strictSame(n1.host.connections(), []);
    await until(() => n1.log.lines.length > 0);
    t.match(n1.log.lines, [['a peer was refused', { peer: '127.0.0.1', reason }]], kind);
    await t.rejects(n1.host.dial(stranger.host.address), `${kind}, as a server`);
    t.strictSame(n1.host.connections(), []);
    t.equal(reasons(n1.log).length, 2, 'named too');
  }
});

t.test('who is revoked gets no connection', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.start('n1', [], { isRevoked: ({ name }) => name === 'n2' });
  const n2 = await cluster.host(await cluster.identity('n2'));
  await t.rejects(n2.host.dial(n1.node.address));
  t.match(n1.log.lines, [['a peer was refused', { peer: '127.0.0.1', reason: 'n2 is revoked' }]]);
  const n3 = await cluster.host(await cluster.identity('n3'));
  t.ok(await n3.host.dial(n1.node.address));
});

/** Says in libp2p's way that it wants TLS, then leaves the socket to TLS. */
async function agreed(address: string): Promise<Socket> {
  const socket = dialTcp(Number(address.split(':')[1]), '127.0.0.1');
  const lines = ['/multistream/1.0.0\n', `${ENCRYPTION}\n`];
  const wanted = lines.map((line) => `${String.fromCharCode(line.length)}${line}`).join('');
  socket.write(wanted);
  let heard = '';
  while (heard.length < wanted.length) heard += await new Promise((data) => socket.once('data', data));
  return socket;
}

async function endOf(address: string, options: ConnectionOptions): Promise<string> {
  const socket = await agreed(address);
  const tls = dialTls({
    socket,
    ALPNProtocols: [ENCRYPTION],
    checkServerIdentity: () => undefined,
    ...options,
  });
  const { promise, resolve } = Promise.withResolvers<string>();
  tls.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? ''));
  tls.on('close', () => resolve('closed')).resume();
  return promise;
}

t.test('without a certificate, with older TLS or for another protocol there is no connection', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.host(await cluster.identity('n1'));
  const { ca, cert, key } = await cluster.identity('n2');
  const wrong: [ConnectionOptions, RegExp][] = [
    [{ ca }, /did not return a certificate/],
    [{ ca, cert, key, maxVersion: 'TLSv1.2' }, /unsupported protocol|version/],
    [{ ca, cert, key, ALPNProtocols: ['h2'] }, /no application protocol/],
    [{ ca, cert, key, ALPNProtocols: [] }, /another protocol/],
  ];
  for (const [options, reason] of wrong) {
    const known = n1.log.lines.length;
    await endOf(n1.host.address, options);
    await until(() => n1.log.lines.length > known);
    t.match(reasons(n1.log).at(-1), reason);
    t.strictSame(n1.host.connections(), []);
  }
});

t.test('who goes away in the middle is nobody worth a line in the log', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.host(await cluster.identity('n1'));
  const { ca, cert, key } = await cluster.identity('n2');
  for (let ms = 0; ms < 10; ms++) {
    const socket = await agreed(n1.host.address);
    const tls = dialTls({
      socket,
      ca,
      cert,
      key,
      ALPNProtocols: [ENCRYPTION],
      checkServerIdentity: () => undefined,
    });
    tls.on('error', () => {});
    await sleep(ms);
    socket.destroy();
  }
  const n3 = await cluster.host(await cluster.identity('n3'));
  await n3.host.dial(n1.host.address);
  t.strictSame(n1.log.lines, []);
});

t.test('garbage instead of a handshake ends the connection only', async (t) => {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.host(await cluster.identity('n1'));
  for (const garbage of ['GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\x02\x00\x01', '\xff'.repeat(5000)]) {
    const socket = await agreed(n1.host.address);
    const closed = new Promise((end) => socket.on('error', () => {}).on('close', end));
    socket.end(Buffer.from(garbage, 'latin1'));
    socket.resume();
    await closed;
  }
  const n3 = await cluster.host(await cluster.identity('n3'));
  t.ok(await n3.host.dial(n1.host.address));
});

t.test('a connection that brings too much is read no faster than its share', async (t) => {
  const clock = new VirtualClock(t);
  clock.wall = () => Date.now();
  const [slow, fast] = [await Cluster.make(t, clock), await Cluster.make(t)];
  const n1 = await slow.host(await slow.identity('n1'));
  const n2 = await fast.host(await slow.identity('n2'));
  let receivedBytes = 0;
  await n1.host.handle('/flood', (stream) => {
    stream.addEventListener('message', ({ data }) => {
      receivedBytes += data.byteLength;
    });
  });
  await n2.host.dial(n1.host.address);
  const stream = await n2.host.connections()[0]!.newStream('/flood');
  const totalBytes = INBOUND_BURST_BYTES + 4 * INBOUND_BYTES_PER_SECOND;
  const chunk = new Uint8Array(64 * 1024);
  void (async () => {
    for (let sent = 0; sent < totalBytes; sent += chunk.length) {
      stream.send(chunk);
      await drained(stream);
    }
  })();
  await until(() => receivedBytes > 0.9 * INBOUND_BURST_BYTES);
  await sleep(300);
  t.ok(receivedBytes <= INBOUND_BURST_BYTES + INBOUND_BYTES_PER_SECOND, `${receivedBytes} bytes at once`);
  await until(() => {
    clock.advance(100);
    return receivedBytes >= totalBytes;
  });
  t.equal(receivedBytes, totalBytes, 'and the rest with time');
});
