/** Membership on real libp2p: the conformance of every Discovery, joining, splitting, and members that lie. */

import t from 'tap';
import { Relay } from '../bed.twin.ts';
import { fastClock } from './clock.twin.ts';
import { Cluster, freePort, reasons, type Started, until } from './cluster.twin.ts';
import { discoveryConformance, seen } from './discovery.conformance.ts';

/** Ten times as fast as life: suspect after two seconds. */
const FAST = 10;

discoveryConformance(t, async (t) => {
  const cluster = await Cluster.make(t, fastClock(FAST));
  const first: string[] = [];
  let groups: readonly string[][] = [];
  const groupOf = (name: string) => groups.findIndex((names) => names.includes(name));
  return {
    async join(name) {
      // What is split does not believe each other's certificates, so nothing passes.
      const isRevoked = (other: { name: string }) => groupOf(name) !== groupOf(other.name);
      const { node } = await cluster.start(name, first, { isRevoked });
      if (first.length === 0) first.push(node.address);
      return node;
    },
    split: (...names) => {
      groups = names;
    },
    merge: () => {
      groups = [];
    },
    until,
    settle: () => new Promise((settled) => setTimeout(settled, 300)),
  };
});

const others = (count: number, self: number) =>
  Array.from({ length: count }, (_, i) => i + 1)
    .filter((i) => i !== self)
    .map((i) => `n${i} alive`)
    .join(', ');

async function allKnowAll(started: readonly Started[]): Promise<void> {
  for (const [i, { node }] of started.entries())
    await until(() => seen(node) === others(started.length, i + 1));
}

t.test('nodes that know one address know all, though that one starts last', async (t) => {
  const cluster = await Cluster.make(t);
  const port = await freePort();
  const later = ['n2', 'n3', 'n4', 'n5', 'n6'].map((name) => cluster.start(name, [`localhost:${port}`]));
  const rest = await Promise.all(later);
  for (const { node } of rest) t.equal(seen(node), '');
  const n1 = await cluster.start('n1', [], { listen: `127.0.0.1:${port}` });
  await allKnowAll([n1, ...rest]);
  for (const { log } of [n1, ...rest]) t.strictSame(log.lines, []);
});

t.test('two halves that never met become one when an address can be reached', async (t) => {
  const cluster = await Cluster.make(t, fastClock(FAST));
  const n1 = await cluster.start('n1');
  const n2 = await cluster.start('n2', [n1.node.address]);
  const relay = new Relay(Number(n1.node.address.split(':')[1]));
  await relay.listen();
  relay.cut();
  t.teardown(() => relay.cut());
  const n3 = await cluster.start('n3', [`127.0.0.1:${relay.port}`]);
  const n4 = await cluster.start('n4', [n3.node.address]);
  await until(() => seen(n1.node) === 'n2 alive' && seen(n2.node) === 'n1 alive');
  await until(() => seen(n3.node) === 'n4 alive' && seen(n4.node) === 'n3 alive');
  await relay.listen();
  await allKnowAll([n1, n2, n3, n4]);
  t.equal(n1.node.members().length, 3);
});

t.test('nodes that are all cut off from each other find together again', async (t) => {
  const cluster = await Cluster.make(t, fastClock(FAST));
  const relays: Relay[] = [];
  const started: Started[] = [];
  for (const name of ['n1', 'n2', 'n3']) {
    const port = await freePort();
    const relay = new Relay(port);
    await relay.listen();
    t.teardown(() => relay.cut());
    relays.push(relay);
    const bootstrap = started[0] ? [started[0].node.address] : [];
    const address = `127.0.0.1:${relay.port}`;
    started.push(await cluster.start(name, bootstrap, { listen: `127.0.0.1:${port}`, address }));
  }
  await allKnowAll(started);
  for (const relay of relays) relay.cut();
  for (const { node } of started)
    await until(() => node.members().every(({ state }) => state.kind === 'suspect'));
  for (const relay of relays) await relay.listen();
  await allKnowAll(started);
  t.equal(started[0]!.node.members().length, 2);
});

t.test('a member that is revoked loses its connections, and what it says, passed on or not', async (t) => {
  const cluster = await Cluster.make(t, fastClock(FAST));
  let revoked = '';
  const isRevoked = ({ name }: { name: string }) => name === revoked;
  const n1 = await cluster.start('n1', [], { isRevoked });
  const n2 = await cluster.start('n2', [n1.node.address]);
  const n3 = await cluster.start('n3', [n1.node.address]);
  await allKnowAll([n1, n2, n3]);
  const got: string[] = [];
  for (const { node } of [n1, n3]) node.subscribe('news', (_bytes, from) => void got.push(from));
  revoked = 'n2';
  await until(() => seen(n1.node) === 'n2 suspect, n3 alive');
  t.equal(seen(n3.node), 'n1 alive, n2 alive', 'to whom nobody has said so');
  await until(() => reasons(n1.log).includes('n2 is revoked'));
  t.match(n1.log.lines[0], [
    'a peer was refused',
    { peer: 'n2', reason: 'its certificate is no longer good' },
  ]);
  await n2.node.publish('news', Buffer.from('x'));
  await until(() => got.length > 0);
  await n3.node.publish('news', Buffer.from('y'));
  await until(() => got.includes('n3'));
  t.strictSame(got.sort(), ['n2', 'n3'], 'n3 heard n2, n1 heard n3 only');
  n1.node.recheck();
  t.equal(seen(n1.node), 'n3 alive', 'and at a word it is a member no more');
});

t.test('options that cannot be are said at once', async (t) => {
  const cluster = await Cluster.make(t);
  await t.rejects(cluster.start('n1', ['n2']), TypeError);
  await t.rejects(cluster.start('n1', [], { service: 'n1' }), TypeError);
  await t.rejects(cluster.start('n1', [], { address: 'n1' }), TypeError);
  await t.rejects(cluster.start('n1', [], { capacityBytes: 1.5 }), TypeError);
  await t.rejects(cluster.start('n1', [], { listen: '0.0.0.0:0' }), /needs an address beside it/);
  const { node } = await cluster.start('n1', [], { listen: '0.0.0.0:0', address: 'n1.ship:7401' });
  t.equal(node.address, 'n1.ship:7401');
  const taken = await cluster.start('n2');
  await t.rejects(cluster.start('n3', [], { listen: taken.node.address }));
});
