/**
 * The protocol for blocks: what is framed is read back, and malformed frames from a seed are one error each, on both ends.
 * FUZZ_CASES sets how many (CI: more).
 */
import { connect, type TLSSocket } from 'node:tls';
import t from 'tap';
import { seededPick } from '../../blocks/testing.ts';
import { Bed, putBlocks, tlsOf } from '../bed.twin.ts';
import { PeerClient } from './client.ts';
import {
  askFrame,
  BLOCKS_PROTOCOL,
  blockHeader,
  CommandReader,
  cancelFrame,
  readHeader,
  refusedFrame,
} from './frames.ts';
import { MAX_BLOCKS_PER_REQUEST } from './limits.ts';
import { type ClientTls, dialOptions, splitAddress } from './tls.ts';
import { WireError } from './wire.ts';

const CASES = Number(process.env.FUZZ_CASES ?? 10_000);
const ID = 'ab'.repeat(32);
const never = new AbortController().signal;

t.test('commands are read whole, however they are cut', async (t) => {
  const sent = [
    askFrame(0, [ID]),
    cancelFrame(0),
    askFrame(7, [ID], true),
    askFrame(2 ** 32 - 1, Array(MAX_BLOCKS_PER_REQUEST).fill(ID)),
  ];
  const bytes = Buffer.concat(sent);
  for (const size of [1, 3, 7, 100, bytes.length]) {
    const reader = new CommandReader();
    const read = [];
    for (let at = 0; at < bytes.length; at += size) read.push(...reader.read(bytes.subarray(at, at + size)));
    t.match(read, [
      { kind: 'ask', request: 0, ids: [ID], mayWait: false },
      { kind: 'cancel', request: 0 },
      { kind: 'ask', request: 7, ids: [ID], mayWait: true },
      { kind: 'ask', request: 2 ** 32 - 1 },
    ]);
    t.equal(read.length, 4);
  }
});

t.test('what is no command, and a request for none or too many, is refused', async (t) => {
  const many = askFrame(1, [ID]);
  many.writeUInt16BE(MAX_BLOCKS_PER_REQUEST + 1, 5);
  const none = askFrame(1, [ID]);
  none.writeUInt16BE(0, 5);
  for (const bad of [many, none, Buffer.from([0]), Buffer.from([4])]) {
    t.throws(() => [...new CommandReader().read(bad)], WireError);
  }
});

t.test(
  'an answer says how long its block is, that it is not here, or that the request was refused',
  async (t) => {
    t.same(readHeader(blockHeader(7, 4096)), { request: 7, length: 4096 });
    t.same(readHeader(blockHeader(7, 0)), { request: 7, length: 0 });
    t.same(readHeader(refusedFrame(7)), { request: 7, length: undefined });
    t.throws(() => readHeader(blockHeader(7, 1 << 20)), WireError);
  },
);

t.test('random and damaged commands give an error or commands', async (t) => {
  const below = seededPick(t);
  const ends = { read: 0, refused: 0 };
  for (let done = 0; done < CASES; done++) {
    const bytes = Buffer.concat([askFrame(below(9), [ID, ID]), cancelFrame(below(9))]);
    for (let i = below(4); i > 0; i--) bytes[below(bytes.length)] = below(256);
    try {
      for (const { request } of new CommandReader().read(bytes)) t.ok(request >= 0) || t.bailout();
      ends.read++;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      ends.refused++;
    }
  }
  t.ok(ends.read > 0 && ends.refused > 0, JSON.stringify(ends));
});

function dial(port: number, tls: ClientTls): TLSSocket {
  const socket = connect(dialOptions(splitAddress(`127.0.0.1:${port}`), tls, BLOCKS_PROTOCOL));
  return socket.on('error', () => {}).resume() as TLSSocket;
}

t.test('a server that gets garbage closes that connection, and serves the others', async (t) => {
  const below = seededPick(t);
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const ids = await putBlocks(5, 65_536, n1);
  const { port } = await bed.serve(n1);
  const tls = tlsOf(await bed.identity('n2'));
  for (let i = 0; i < 100; i++) {
    const socket = dial(port, tls);
    const garbage = Buffer.from(Array.from({ length: 1 + below(300) }, () => below(256)));
    garbage[0] = [1, 3, 4 + below(250)][below(3)]!;
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.write(below(3) === 0 ? Buffer.concat([askFrame(1, ids), garbage]) : garbage);
    socket.setTimeout(50, () => socket.destroy());
    await closed;
  }
  const client = new PeerClient(`127.0.0.1:${port}`, tls);
  t.teardown(() => client.close());
  let bytes = 0;
  const count = (_id: string, block?: Uint8Array) => {
    bytes += block?.length ?? 0;
    return undefined;
  };
  await client.blocks(ids, count, never, true);
  t.equal(bytes, 5 * 65_536);
});

t.test('a client that gets garbage for blocks ends the request, and stores nothing wrong', async (t) => {
  const below = seededPick(t);
  const bed = await Bed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const ids = await putBlocks(3, 4096, n1);
  const port = await bed.fake('garbage', {
    async blocks(asked, send) {
      for (let i = below(6); i >= 0; i--) {
        const bytes = Buffer.from((await n1.blocks.get(asked[i % asked.length]!))!);
        if (below(2) === 0) bytes[below(4096)]! ^= 1;
        const lies = [undefined, undefined, undefined, 0, 1, 4097, 2 ** 31, 2 ** 32 - 1];
        await send(bytes, lies[below(lies.length)]);
      }
    },
  });
  const client = new PeerClient(`127.0.0.1:${port}`, tlsOf(n2.identity));
  t.teardown(() => client.close());
  const ends = { fulfilled: 0, rejected: 0 };
  const keep = (id: string, bytes?: Uint8Array) => (bytes ? n2.blocks.put(id, bytes) : undefined);
  for (let done = 0; done < CASES / 20; done += 10) {
    const asked = Array.from({ length: 10 }, (_, i) =>
      client.blocks(ids, keep, AbortSignal.timeout(100), i % 2 === 0),
    );
    for (const { status } of await Promise.allSettled(asked)) ends[status]++;
  }
  t.ok(ends.rejected > 0, JSON.stringify(ends));
  for (const id of n2.blocks.ids()) t.same(await n2.blocks.get(id), await n1.blocks.get(id));
});

t.test(
  'a connection that is lost rejects what was asked on it, and the next request connects anew',
  async (t) => {
    const bed = await Bed.make(t);
    const n1 = await bed.node('n1');
    const ids = await putBlocks(3, 65_536, n1);
    const relay = await bed.relay((await bed.serve(n1)).port);
    const client = new PeerClient(`127.0.0.1:${relay.port}`, tlsOf(await bed.identity('n2')));
    t.teardown(() => client.close());
    let count = 0;
    const ask = () => client.blocks(ids, () => void count++, never, false);
    await ask();
    relay.fallSilent();
    const silent = ask();
    relay.cut();
    await t.rejects(silent, { code: 14 });
    await t.rejects(ask(), { code: 14 });
    await relay.listen();
    await ask();
    t.equal(count, 6);
  },
);

t.test('while receivers are behind, the sender is held back, and then all comes', async (t) => {
  const bed = await Bed.make(t);
  const n1 = await bed.node('n1');
  const ids = await putBlocks(200, 524_288, n1);
  const server = await bed.serve(n1);
  const client = new PeerClient(`127.0.0.1:${server.port}`, tlsOf(await bed.identity('n2')));
  t.teardown(() => client.close());
  const open = Promise.withResolvers<void>();
  let count = 0;
  const asked = client.blocks(
    ids,
    () => {
      count++;
      return open.promise;
    },
    never,
    false,
  );
  let before = -1;
  while (count === 0 || count > before) {
    before = count;
    await new Promise((next) => setTimeout(next, 100));
  }
  t.ok(count < 100, `${count} blocks were taken`);
  open.resolve();
  await asked;
  t.equal(count, 200);
});
