/** The kernel's protocol without a mount: requests in, answers out. */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { PAGE_BYTES } from '../../blocks/types.ts';
import { KernelSession } from './kernel.ts';
import { ERRNO, OPCODE, RESENT_BIT, ROOT_NODE } from './protocol.ts';
import { readBody, request, scratch, TestFeeder, TestLog, TestStore } from './testkit.ts';
import { nodeIdOf, VolumeFiles } from './volume-files.ts';
import { WaitingReads } from './waiting-reads.ts';

interface Answer {
  error: number;
  unique: bigint;
  body: Buffer;
}

function setUp(t: Test) {
  const store = new TestStore(scratch(t));
  const feeder = new TestFeeder(store, false);
  const log = new TestLog();
  const answers: Answer[] = [];
  const parts = { files: new VolumeFiles({ ...store, log }), waiting: new WaitingReads(feeder, 60_000), log };
  const session = new KernelSession(parts, (bytes, sizeBytes) => {
    answers.push({
      error: bytes.readInt32LE(4),
      unique: bytes.readBigUInt64LE(8),
      body: Buffer.from(bytes.subarray(16, sizeBytes)),
    });
    return true;
  });
  t.teardown(() => parts.waiting.close());
  const ask = (bytes: Buffer): Answer | undefined => {
    const before = answers.length;
    session.receive(bytes);
    return answers[before];
  };
  return { store, feeder, answers, session, ask, ...parts };
}

function initBody(major: number, minor: number): Buffer {
  const body = Buffer.alloc(64);
  body.writeUInt32LE(major, 0);
  body.writeUInt32LE(minor, 4);
  body.writeUInt32LE(128 * 1024, 8);
  body.writeUInt32LE(0xffff_ffff, 12);
  return body;
}

t.test('INIT: 7.31 and newer are spoken, with the longest queue and reads of 1 MiB', async (t) => {
  const { ask } = setUp(t);
  const { error, body } = ask(request(OPCODE.INIT, initBody(7, 45)))!;
  t.equal(error, 0);
  t.same([body.readUInt32LE(0), body.readUInt16LE(16), body.readUInt16LE(28)], [7, 65535, 256]);
  t.equal(ask(request(OPCODE.INIT, initBody(7, 30)))!.error, -ERRNO.EPROTO);
  t.equal(ask(request(OPCODE.INIT, initBody(8, 31)))!.error, -ERRNO.EPROTO);
});

t.test('an operation that is not in the table is answered with ENOSYS', async (t) => {
  const { ask } = setUp(t);
  for (const opcode of [4, 9, 16, 22, 34, 52, 4096, 0xffff_ffff]) {
    t.equal(ask(request(opcode, Buffer.alloc(64)))!.error, -ERRNO.ENOSYS);
  }
});

t.test('requests that have no answer get none, however bad', async (t) => {
  const { ask } = setUp(t);
  for (const opcode of [OPCODE.FORGET, OPCODE.BATCH_FORGET, OPCODE.INTERRUPT]) {
    t.equal(ask(request(opcode)), undefined);
    t.equal(ask(request(opcode, Buffer.alloc(8, 0xff))), undefined);
  }
});

t.test('an answer carries all 64 bits of the number of its request', async (t) => {
  const { ask } = setUp(t);
  t.equal(
    ask(request(OPCODE.STATFS, undefined, { unique: 0x8000_0000_0000_0005n }))!.unique,
    0x8000_0000_0000_0005n,
  );
});

t.test('a read of a node that this server has never seen finds its volume', async (t) => {
  const { store, ask } = setUp(t);
  const volume = store.add(randomBytes(10 * PAGE_BYTES));
  store.add(randomBytes(PAGE_BYTES));
  const { error, body } = ask(
    request(OPCODE.READ, readBody(PAGE_BYTES, 8192), { nodeId: nodeIdOf(volume.root) }),
  )!;
  t.equal(error, 0);
  t.ok(body.equals(volume.bytes.subarray(PAGE_BYTES, PAGE_BYTES + 8192)));
});

t.test('a node of no volume is stale', async (t) => {
  const { ask } = setUp(t);
  for (const opcode of [OPCODE.GETATTR, OPCODE.OPEN, OPCODE.READ]) {
    t.equal(ask(request(opcode, readBody(0, 4096), { nodeId: 12345 }))!.error, -ERRNO.ESTALE);
  }
});

t.test('a volume that was forgotten is found again', async (t) => {
  const { store, ask } = setUp(t);
  const volume = store.add(randomBytes(3 * PAGE_BYTES));
  const nodeId = nodeIdOf(volume.root);
  for (let i = 0; i < 2; i++) {
    t.ok(
      ask(request(OPCODE.READ, readBody(0, 8192), { nodeId }))!.body.equals(volume.bytes.subarray(0, 8192)),
    );
    ask(request(OPCODE.FORGET, Buffer.alloc(8), { nodeId }));
  }
});

t.test('a block is hashed once, and again after it was away', async (t) => {
  const { store, feeder, files, ask, answers } = setUp(t);
  const volume = store.add(randomBytes(4 * PAGE_BYTES), 4);
  feeder.knows(volume);
  const nodeId = nodeIdOf(volume.root);
  const readAll = () => ask(request(OPCODE.READ, readBody(0, 65536), { nodeId }));
  readAll();
  readAll();
  t.equal(files.checks, volume.blocks.length);
  ask(request(OPCODE.RELEASE, Buffer.alloc(24), { nodeId }));
  readAll();
  t.equal(files.checks, volume.blocks.length, 'a close and an open cost no hash');
  ask(request(OPCODE.RELEASE, Buffer.alloc(24), { nodeId }));
  for (const { id } of volume.blocks) store.removeBlock(id);
  readAll();
  feeder.deliverAll();
  t.ok(answers.at(-1)!.body.equals(volume.bytes));
  t.equal(files.checks, 2 * volume.blocks.length);
});

t.test('two volumes with one node id: neither is ever taken for the other', async (t) => {
  const { store, log, files } = setUp(t);
  const volume = store.add(randomBytes(PAGE_BYTES));
  const twin = volume.root.slice(0, 13) + 'f'.repeat(51);
  t.equal(files.find(volume.root)?.root, volume.root);
  t.equal(files.find(twin), undefined);
  t.match(log.lines.join(), /one node id/);
});

t.test('an index that is not what its name says is an error, not a volume', async (t) => {
  const { store, ask, log } = setUp(t);
  const volume = store.add(randomBytes(PAGE_BYTES));
  const { writeFileSync, readFileSync } = await import('node:fs');
  const bytes = readFileSync(`${store.volumes}/${volume.root}`);
  bytes[40]! ^= 1;
  writeFileSync(`${store.volumes}/${volume.root}`, bytes);
  t.equal(ask(request(OPCODE.LOOKUP, Buffer.from(`${volume.root}\0`)))!.error, -ERRNO.EIO);
  t.match(log.lines.join(), /is corrupt/);
});

t.test('ten thousand waiting reads cost some megabytes, and answer when their blocks come', async (t) => {
  const { store, feeder, session, answers, waiting } = setUp(t);
  const volume = store.add(randomBytes(64 * PAGE_BYTES), 1);
  feeder.knows(volume);
  for (const { id } of volume.blocks) store.removeBlock(id);
  const nodeId = nodeIdOf(volume.root);
  const before = process.memoryUsage();
  for (let i = 0; i < 10_000; i++) {
    session.receive(
      request(OPCODE.READ, readBody((i % 64) * PAGE_BYTES, 131_072), { nodeId, unique: BigInt(i) }),
    );
  }
  const after = process.memoryUsage();
  t.equal(waiting.count, 10_000);
  t.equal(feeder.asked.length, 64, 'each block is asked for once');
  t.ok(after.heapUsed + after.external - before.heapUsed - before.external < 64 * 1024 * 1024);
  feeder.deliverAll();
  t.equal(answers.length, 10_000);
  t.ok(
    answers.every(({ error, body, unique }) => {
      const offset = (Number(unique) % 64) * PAGE_BYTES;
      return error === 0 && body.equals(volume.bytes.subarray(offset, offset + 131_072));
    }),
  );
});

t.test('a signal that does not kill leaves the read waiting; one that kills ends it', async (t) => {
  const { store, feeder, session, answers, waiting } = setUp(t);
  const volume = store.add(randomBytes(PAGE_BYTES));
  for (const { id } of volume.blocks) store.removeBlock(id);
  const child = spawn('sleep', ['1000']);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child, 'spawn');
  const nodeId = nodeIdOf(volume.root);
  const unique = 77n;
  session.receive(request(OPCODE.READ, readBody(0, 4096), { nodeId, unique, pid: child.pid! }));
  const interrupted = Buffer.alloc(8);
  interrupted.writeBigUInt64LE(unique);
  session.receive(request(OPCODE.INTERRUPT, interrupted, { unique: unique | 1n, nodeId: ROOT_NODE }));
  await new Promise((resolve) => setTimeout(resolve, 150));
  t.same([answers.length, waiting.count], [0, 1]);
  feeder.knows(volume);
  feeder.deliverAll();
  t.ok(answers[0]?.body.equals(volume.bytes));
});

t.test('a waiting read that the kernel sends again is answered under its new number', async (t) => {
  const { store, feeder, session, answers, waiting } = setUp(t);
  const volume = store.add(randomBytes(PAGE_BYTES));
  feeder.knows(volume);
  for (const { id } of volume.blocks) store.removeBlock(id);
  const nodeId = nodeIdOf(volume.root);
  for (const unique of [8n, 8n | RESENT_BIT, 8n | RESENT_BIT]) {
    session.receive(request(OPCODE.READ, readBody(0, 4096), { nodeId, unique }));
    t.equal(waiting.count, 1);
  }
  feeder.deliverAll();
  t.same(
    answers.map(({ unique }) => unique),
    [8n | RESENT_BIT],
  );
});
