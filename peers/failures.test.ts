/** What a node gets when a neighbour dies, falls silent, lies or has a bad disk. Real TLS on loopback. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { MAX_BLOCK_BYTES } from '../blocks/block.ts';
import { peer } from '../proto/peer.ts';
import { Bed, putBlocks, putLayer, settled } from './bed.twin.ts';
import { nodeSigner } from './directory/sign.ts';
import type { SignedRecord } from './directory/types.ts';

t.test('a record that is tampered with is not believed, and whoever sends it is named', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const { record } = await putLayer([n1]);
  const [held] = n1.directory.layersByChainId(record.chainId);
  const good = n1.directory.record(held!.id)!;
  const body = Uint8Array.from(good.body);
  body[body.length - 3]! ^= 1;
  const foreign = nodeSigner(await (await Bed.make(t)).identity('n1')).certificate;
  const lies: SignedRecord[] = [
    { ...good, body },
    { ...good, signature: Uint8Array.from(good.signature, (byte) => byte ^ 1) },
    { ...good, certificate: nodeSigner(await bed.crafted({ name: 'n1' })).certificate },
    { ...good, certificate: foreign },
  ];
  let answer = good;
  const port = await bed.fake('liar', { layers: async () => [answer] });
  for (const lie of lies) {
    answer = lie;
    const neighbours = bed.neighbours(n2, [port]);
    t.equal(await neighbours.findLayer(record.chainId, 5000), undefined);
    neighbours.close();
  }
  const named = n2.log.lines.filter(([message]) => message.includes('a bad record from a neighbour'));
  t.equal(named.length, 3, 'of another authority it may be an honest one');
  for (const [, { peer }] of named) t.equal(peer, 'liar');
  answer = good;
  t.same(await bed.neighbours(n2, [port]).findLayer(record.chainId, 5000), record);
});

t.test('an honest record of a layer that was walked, without a diffID, is believed', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const { chainId } = (await putLayer([await bed.node('n3')])).record;
  const walked = { ...(await putLayer([n1])).record, chainId, diffId: '', origin: 'walked' as const };
  await n1.directory.publish('layer', walked);
  const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port]);
  t.same(await neighbours.findLayer(walked.chainId, 5000), walked);
});

t.test('a neighbour that dies in the middle of a stream is replaced by another holder', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
  const ids = await putBlocks(200, 131_072, n1, n3);
  const relay = await bed.relay((await bed.serve(n1)).port);
  const neighbours = bed.neighbours(n2, [relay.port, (await bed.serve(n3)).port]);
  await settled(neighbours);
  const wants = ids.map((id) => neighbours.want(id, 'completion'));
  await Promise.race(wants);
  relay.cut();
  await Promise.all(wants);
  t.ok(ids.every((id) => n2.blocks.has(id)));
});

t.test('a neighbour that falls silent costs a fraction of a second when another has the block', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
  const ids = await putBlocks(20, 65_536, n1, n3);
  const relay = await bed.relay((await bed.serve(n1)).port);
  const neighbours = bed.neighbours(n2, [relay.port, (await bed.serve(n3)).port]);
  await settled(neighbours);
  relay.fallSilent();
  await Promise.all(ids.map((id) => neighbours.want(id, 'demand')));
  while (neighbours.peers()[0]!.state === 'up') await sleep(20);
  t.match(neighbours.peers(), [
    { state: 'down', name: 'n1' },
    { state: 'up', name: 'n3' },
  ]);
});

t.test('a wrong block is refused and named in the log, and asked of another', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const [id] = await putBlocks(1, 65_536, n1);
  const [wrong] = await putBlocks(1, 65_536, n1);
  const bytes = await n1.blocks.get(wrong!);
  const liar = await bed.fake('liar', {
    blocks: (_ids, send) => send(bytes!),
  });
  const neighbours = bed.neighbours(n2, [liar]);
  await settled(neighbours);
  const wanted = neighbours.want(id!, 'demand');
  while (!n2.log.lines.some(([message]) => message.includes('sent something wrong'))) await sleep(5);
  t.notOk(n2.blocks.has(id!));
  t.notOk(n2.blocks.has(wrong!));
  wanted.catch(() => {});
  neighbours.close();

  const both = bed.neighbours(n2, [liar, (await bed.serve(n1)).port]);
  await settled(both);
  await both.want(id!, 'demand');
  t.same(await n2.blocks.get(id!), await n1.blocks.get(id!));
  const [, fields] = n2.log.lines.find(([message]) => message.includes('sent something wrong'))!;
  t.match(fields, { peer: 'liar', reason: new RegExp(id!) });
});

t.test(
  'a block that is corrupt on the disk of the one asked is not sent, and comes from another',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
    const [id] = await putBlocks(1, 65_536, n1, n3);
    n1.blocks.flipBit(id!, 12_345);
    const first = await bed.serve(n1);
    const neighbours = bed.neighbours(n2, [first.port, (await bed.serve(n3)).port]);
    await settled(neighbours);
    await neighbours.want(id!, 'demand');
    t.same(await n2.blocks.get(id!), await n3.blocks.get(id!));
    t.equal(first.servedBytes(), 0);
  },
);

t.test(
  'the only holder goes away in the middle and comes back on the same port: the reads go on',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
    const ids = await putBlocks(100, 131_072, n1);
    const server = await bed.serve(n1);
    const neighbours = bed.neighbours(n2, [server.port]);
    await settled(neighbours);
    const wants = ids.map((id) => neighbours.want(id, 'demand'));
    await Promise.race(wants);
    server.close();
    await sleep(200);
    t.equal(neighbours.peers()[0]!.state, 'down');
    await bed.serve(n1, server.port);
    await Promise.all(wants);
    t.ok(ids.every((id) => n2.blocks.has(id)));
  },
);

t.test('a stream without end, and one without content, are cut', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const [id] = await putBlocks(1, MAX_BLOCK_BYTES, n1);
  const bytes = await n1.blocks.get(id!);
  let sent = 0;
  const endless = await bed.fake('endless', {
    async blocks(_ids, send) {
      for (;;) {
        await send(Buffer.alloc(0));
        await send(bytes!);
        sent++;
      }
    },
  });
  const empty = await bed.fake('empty', {
    async blocks(_ids, send) {
      for (;;) {
        await send(Buffer.alloc(0));
        await sleep(1);
      }
    },
  });
  const neighbours = bed.neighbours(n2, [endless, empty]);
  await settled(neighbours);
  const wanted = neighbours.want(id!, 'demand');
  wanted.catch(() => {});
  const blamed = (name: string) =>
    n2.log.lines.some(([, { peer: who, reason }]) => who === name && reason !== undefined);
  while (!blamed('endless') || !blamed('empty')) await sleep(5);
  t.ok(sent < 200);
  t.notOk(n2.blocks.has(id!));
  neighbours.close();
  await t.rejects(wanted, { message: 'the node is stopping' });
});

t.test('a message beyond all bounds is not read, and the block comes from another', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const [id] = await putBlocks(1, 65_536, n1);
  let calls = 0;
  const huge = await bed.fake('huge', {
    blocks(_ids, send) {
      calls++;
      return send(new Uint8Array(4 * MAX_BLOCK_BYTES));
    },
  });
  const neighbours = bed.neighbours(n2, [huge]);
  await settled(neighbours);
  const waiting = neighbours.want(id!, 'demand');
  while (calls === 0) await sleep(5);
  waiting.catch(() => {});
  neighbours.close();
  const both = bed.neighbours(n2, [huge, (await bed.serve(n1)).port]);
  await settled(both);
  await both.want(id!, 'demand');
  t.ok(n2.blocks.has(id!));
});

t.test(
  'what was asked of a silent neighbour in the background is asked of another once it is known to be gone',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
    const ids = await putBlocks(10, 65_536, n1, n3);
    const relay = await bed.relay((await bed.serve(n1)).port);
    const neighbours = bed.neighbours(n2, [relay.port]);
    await settled(neighbours);
    relay.fallSilent();
    const wants = ids.map((id) => neighbours.want(id, 'completion'));
    while (neighbours.peers()[0]!.state === 'up') await sleep(20);
    relay.cut();
    neighbours.follow(bed.members([(await bed.serve(n3)).port]));
    await Promise.all(wants);
    t.ok(ids.every((id) => n2.blocks.has(id)));
  },
);

t.test('a volume comes from the next holder when the first dies, lies or has not all of it', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
  const layer = await putLayer([n1, n3]);
  const other = await putLayer([n1]);
  await n1.blocks.remove(layer.metadata[1]!);
  const wrong = await n1.volumes.encoded(other.root);
  const liar = await bed.fake('liar', {
    async *getVolume() {
      const reply = new peer.GetVolumeReply();
      reply.setIndex(wrong!);
      yield reply;
    },
  });
  const silent = await bed.fake('silent', {
    async *getVolume(_request, { signal }) {
      await new Promise((done) => signal.addEventListener('abort', done));
      yield new peer.GetVolumeReply();
    },
  });
  const ports = [liar, silent, (await bed.serve(n1)).port, (await bed.serve(n3)).port];
  const neighbours = bed.neighbours(n2, ports);
  await settled(neighbours);
  t.equal((await neighbours.fetchVolume(layer.root)).root, layer.root);
  for (const id of layer.metadata) t.ok(n2.blocks.has(id));
  await t.rejects(neighbours.fetchVolume('0'.repeat(64)), { name: 'NoVolumeError' });
});

t.test('a volume of which nobody has all metadata blocks is gathered from those who have some', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
  const layer = await putLayer([n1, n3]);
  await n1.blocks.remove(layer.metadata[0]!);
  await n3.blocks.remove(layer.metadata[1]!);
  const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port, (await bed.serve(n3)).port]);
  await settled(neighbours);
  t.equal((await neighbours.fetchVolume(layer.root)).root, layer.root);
  for (const id of layer.metadata) t.ok(n2.blocks.has(id));
});

t.test(
  'a volume of which a metadata block is nowhere, or of which everybody is gone, is given up at once',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
    const layer = await putLayer([n1]);
    await n1.blocks.remove(layer.metadata[0]!);
    const server = await bed.serve(n1);
    const neighbours = bed.neighbours(n2, [server.port], 3_600_000);
    await settled(neighbours);
    await t.rejects(neighbours.fetchVolume(layer.root), { message: /nobody who answers has block/ });
    server.close();
    while (neighbours.peers()[0]!.state === 'up') await sleep(5);
    await t.rejects(neighbours.fetchVolume(layer.root), { message: /no neighbour answers/ });
  },
);
