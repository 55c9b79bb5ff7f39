/** Two nodes with real TLS on loopback: what a node gets from its neighbours. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Bed, putBlocks, putLayer, settled } from './bed.twin.ts';

t.test('a layer is found by its chainID, and its volume brought with all metadata blocks', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const lowest = await putLayer([n1]);
  const layer = await putLayer([n1], lowest.record.chainId);
  const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port]);
  t.same(await neighbours.findLayer(layer.record.chainId, 5000), layer.record);
  const index = await neighbours.fetchVolume(layer.root);
  t.equal(index.root, layer.root);
  t.ok(n2.volumes.has(layer.root));
  for (const id of layer.metadata) t.ok(n2.blocks.has(id));
  for (const id of layer.data) t.notOk(n2.blocks.has(id));
  t.ok(
    neighbours.fetchedBytes() > 0 && neighbours.fetchedBytes() < 20_000,
    'only index and metadata have moved',
  );
});

t.test('two who want one volume or one block cause one transfer', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const layer = await putLayer([n1]);
  const server = await bed.serve(n1);
  const neighbours = bed.neighbours(n2, [server.port]);
  await settled(neighbours);
  const volumes = await Promise.all([neighbours.fetchVolume(layer.root), neighbours.fetchVolume(layer.root)]);
  t.equal(volumes[0], volumes[1]);
  const before = server.servedBytes();
  const [id] = layer.data;
  await Promise.all([
    neighbours.want(id!, 'completion'),
    neighbours.want(id!, 'demand'),
    neighbours.want(id!, 'prefetch'),
  ]);
  t.equal(server.servedBytes() - before, 65_536);
  t.ok(n2.blocks.has(id!));
});

t.test(
  'nobody has the layer: no record, as soon as all have said so, and the miss is remembered',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
    const layer = await putLayer([await bed.node('n3')]);
    const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port]);
    t.equal(await neighbours.findLayer(layer.record.chainId, 600_000), undefined);
    t.equal(await neighbours.findLayer(layer.record.chainId, 600_000), undefined, 'at once');
    await n1.directory.publish('layer', layer.record);
    while (!(await neighbours.findLayer(layer.record.chainId, 600_000))) await sleep(20);
    t.same(await neighbours.findLayer(layer.record.chainId, 600_000), layer.record, 'and later it is found');
  },
);

t.test('a block that nobody has yet is waited for, and comes when somebody has it', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, other] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n4')];
  const [id] = await putBlocks(1, 65_536, other);
  const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port]);
  const wanted = neighbours.want(id!, 'demand');
  await sleep(100);
  await n1.blocks.put(id!, (await other.blocks.get(id!))!);
  await wanted;
  t.ok(n2.blocks.has(id!));
});

t.test('a want that nobody fulfils is rejected after the bound, with the reason', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, other] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n4')];
  const [id] = await putBlocks(1, 65_536, other);
  const alone = bed.neighbours(n2, [], 50);
  await t.rejects(alone.want(id!, 'demand'), { message: /did not come within 0.05 s: no neighbour answers/ });
  const neighbours = bed.neighbours(n2, [(await bed.serve(n1)).port], 300);
  await settled(neighbours);
  await t.rejects(neighbours.want(id!, 'demand'), { message: /none of n1 has it/ });
});

t.test('an aborted want is rejected at once and its transfer ended, while others keep waiting', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const [id] = await putBlocks(1, 65_536, n1);
  const bytes = await n1.blocks.get(id!);
  const cancelled = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  let calls = 0;
  const port = await bed.fake('slow', {
    async blocks(_ids, send, signal) {
      signal.addEventListener('abort', () => cancelled.resolve());
      calls++;
      await Promise.race([answer.promise, cancelled.promise]);
      await send(bytes!);
    },
  });
  const neighbours = bed.neighbours(n2, [port]);
  await settled(neighbours);
  const [first, second] = [new AbortController(), new AbortController()];
  const wants = [neighbours.want(id!, 'demand', first.signal), neighbours.want(id!, 'demand', second.signal)];
  while (calls === 0) await sleep(5);
  first.abort(new Error('killed'));
  await t.rejects(wants[0]!, { message: 'killed' });
  second.abort(new Error('killed too'));
  await t.rejects(wants[1]!, { message: 'killed too' });
  await cancelled.promise;
  answer.resolve();
  await neighbours.want(id!, 'demand');
  await t.rejects(neighbours.want(id!.replace(/./g, 'a'), 'demand', first.signal), { message: 'killed' });
});

t.test('a demand does not stand behind the completion that was asked for before', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const ids = await putBlocks(300, 65_536, n1);
  const slow = await bed.fake('slow', {
    async blocks(ids, send) {
      for (const id of ids) {
        await sleep(2);
        await send((await n1.blocks.get(id))!);
      }
    },
  });
  const neighbours = bed.neighbours(n2, [slow]);
  await settled(neighbours);
  const last = ids.pop()!;
  let arrived = 0;
  const background = ids.map((id) => neighbours.want(id, 'completion').then(() => arrived++));
  await background[0];
  await neighbours.want(last, 'demand');
  t.ok(arrived < ids.length / 2, `${arrived} of ${ids.length} came before it`);
  await Promise.all(background);
});

t.test('who leaves is not asked any more, who comes is, and who moves is found again', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, n3] = [await bed.node('n1'), await bed.node('n2'), await bed.node('n3')];
  const [at2, at3] = [(await bed.serve(n2)).port, (await bed.serve(n3)).port];
  const neighbours = bed.neighbours(n1, [at2]);
  await settled(neighbours);
  t.match(neighbours.peers(), [{ name: 'n2', state: 'up' }]);
  neighbours.follow(bed.members([at3]));
  await settled(neighbours);
  t.match(neighbours.peers(), [{ name: 'n3', state: 'up' }]);
  t.equal(neighbours.peers().length, 1);
  const elsewhere = (await bed.serve(n3)).port;
  neighbours.follow(bed.members([elsewhere]));
  await settled(neighbours);
  t.match(neighbours.peers(), [{ name: 'n3', state: 'up', address: `127.0.0.1:${elsewhere}` }]);
});

t.test('somebody else at the address of a member is not that member', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const { port } = await bed.serve(n2);
  const neighbours = bed.neighbours(n1, []);
  neighbours.follow([{ name: 'n3', service: `127.0.0.1:${port}`, state: { kind: 'alive' } }]);
  await settled(neighbours);
  t.match(neighbours.peers(), [{ name: 'n3', state: 'down' }]);
  t.match(JSON.stringify(n1.log.lines), /n2 answers at the address of n3/);
});

t.test('whoever is revoked is talked to no more, on connections that are open as well', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  let isRevoked = false;
  n1.isRevoked = () => isRevoked;
  const server = await bed.serve(n1);
  const neighbours = bed.neighbours(n2, [server.port]);
  await settled(neighbours);
  t.match(neighbours.peers(), [{ state: 'up' }]);
  isRevoked = true;
  server.recheck();
  while (neighbours.peers()[0]?.state === 'up') await sleep(5);
  t.match(JSON.stringify(n1.log.lines), /n2 is revoked/);
});
