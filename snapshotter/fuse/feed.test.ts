import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FeedClient } from './feed-client.ts';
import { type Bring, FeedServer } from './feed-server.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { scratch, TestLog, until } from './testkit.ts';

const hex = () => randomBytes(32).toString('hex');

function setUp(t: Test) {
  const path = join(scratch(t), 'volumes.sock');
  const log = new TestLog();
  const serve = async (bring: Bring) => {
    const server = new FeedServer(bring, log);
    await server.listen(path);
    t.teardown(() => server.close().catch(() => {}));
    return server;
  };
  const client = () => {
    const made = new FeedClient(path, log);
    t.teardown(() => made.close());
    return made;
  };
  return { path, log, serve, client };
}

function brought(client: FeedClient, root = hex(), block = hex()): Promise<string | undefined> {
  return new Promise((resolve) => client.bring(root, block, resolve));
}

t.test('a frame comes out as it went in, however the stream is cut', async (t) => {
  const frames = [
    { type: 'bring', request: 1, root: hex(), block: hex() },
    { type: 'cancel', request: 0xffff_ffff },
    { type: 'done', request: 0 },
    { type: 'failed', request: 7, reason: 'niemand hätte ihn' },
  ] as const;
  const stream = Buffer.concat(frames.map(encodeFrame));
  for (const step of [1, 2, 3, 7, 50, stream.length]) {
    const reader = new FrameReader();
    const out = [];
    for (let at = 0; at < stream.length; at += step) out.push(...reader.push(stream.subarray(at, at + step)));
    t.same(out, frames);
  }
});

t.test('a block is asked for with its volume and the answer comes back', async (t) => {
  const { serve, client, path } = setUp(t);
  const asked: [string, string][] = [];
  await serve(async (root, block) => {
    asked.push([root, block]);
    if (block.startsWith('00')) throw new Error('no neighbour has it');
  });
  t.equal(statSync(path).mode & 0o777, 0o600);
  const [root, block] = [hex(), `11${hex().slice(2)}`];
  t.equal(await brought(client(), root, block), undefined);
  t.same(asked, [[root, block]]);
  t.equal(await brought(client(), root, `00${hex().slice(2)}`), 'no neighbour has it');
});

t.test('a node process that comes late, or again, is asked for all that is outstanding', async (t) => {
  const { serve, client } = setUp(t);
  const feed = client();
  const answers = Promise.all(Array.from({ length: 50 }, () => brought(feed)));
  await new Promise((resolve) => setTimeout(resolve, 100));
  let asked = 0;
  const deaf = await serve(() => {
    asked++;
    return new Promise(() => {});
  });
  await until(() => asked === 50, 'all asked');
  await deaf.close();
  await serve(async () => {
    asked++;
  });
  t.same(await answers, Array(50).fill(undefined));
  t.equal(asked, 100);
});

t.test('a request that is withdrawn is cancelled, and so are those of a connection that ends', async (t) => {
  const { serve, client } = setUp(t);
  const signals: AbortSignal[] = [];
  await serve((_root, _block, signal) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  const feed = client();
  const withdraw = feed.bring(hex(), hex(), () => t.fail('answered'));
  feed.bring(hex(), hex(), () => t.fail('answered'));
  await until(() => signals.length === 2, 'asked');
  withdraw();
  await until(() => signals[0]!.aborted, 'the first is cancelled');
  t.notOk(signals[1]!.aborted);
  feed.close();
  await until(() => signals[1]!.aborted, 'the second is cancelled');
});

t.test('bytes that are no frames end their connection, not the server', async (t) => {
  const { path, serve, client, log } = setUp(t);
  await serve(async () => {});
  const bring = encodeFrame({ type: 'bring', request: 1, root: hex(), block: hex() });
  const forever = Buffer.alloc(4, 0xff);
  const short = Buffer.from(bring.subarray(0, 50));
  short.writeUInt32LE(46, 0);
  for (const bytes of [forever, short, encodeFrame({ type: 'done', request: 1 }), Buffer.alloc(100)]) {
    const socket = connect(path);
    socket.on('error', () => {});
    socket.write(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  t.equal(log.lines.filter((line) => line.includes('bad frame')).length, 4);
  t.equal(await brought(client()), undefined);
});
