/** Malformed requests and frames from a seed: an error each at most, no crash, no growth. `FORAGE_SEED=…` repeats a run. */
import { randomBytes } from 'node:crypto';
import t from 'tap';
import { seededPick } from '../../blocks/testing.ts';
import { PAGE_BYTES } from '../../blocks/types.ts';
import { encodeFrame, type Frame, FrameReader } from './frames.ts';
import { KernelSession } from './kernel.ts';
import { OPCODE, OUT_HEADER_BYTES, READ_BYTES_MAX } from './protocol.ts';
import { readBody, request, scratch, TestFeeder, TestStore } from './testkit.ts';
import type { Log } from './types.ts';
import { nodeIdOf, VolumeFiles } from './volume-files.ts';
import { WaitingReads } from './waiting-reads.ts';

const REQUESTS = 100_000;
const FRAMES = 100_000;

class CountingLog implements Log {
  lines = 0;
  info = () => void this.lines++;
  warning = () => void this.lines++;
  error = () => void this.lines++;
}

function growthOf(work: () => void): number {
  const before = process.memoryUsage();
  work();
  const after = process.memoryUsage();
  return after.heapUsed + after.external - before.heapUsed - before.external;
}

t.test('malformed requests of the kernel', async (t) => {
  const pick = seededPick(t);
  const store = new TestStore(scratch(t));
  const volume = store.add(randomBytes(40 * PAGE_BYTES), 4);
  store.removeBlock(volume.blocks.at(-1)!.id);
  const log = new CountingLog();
  const waiting = new WaitingReads(new TestFeeder(store, false), 60_000);
  const answered: bigint[] = [];
  const bad: string[] = [];
  const session = new KernelSession(
    { files: new VolumeFiles({ ...store, log }), waiting, log },
    (bytes, sizeBytes) => {
      const error = bytes.readInt32LE(4);
      answered.push(bytes.readBigUInt64LE(8));
      const whole = bytes.readUInt32LE(0) === sizeBytes && sizeBytes <= OUT_HEADER_BYTES + READ_BYTES_MAX;
      if (!whole || error > 0 || error < -200 || (error < 0 && sizeBytes !== OUT_HEADER_BYTES)) {
        bad.push(`${sizeBytes} bytes, error ${error}`);
      }
      return true;
    },
  );
  const opcodes = Object.values(OPCODE);
  const nodeIds = [0, 1, 2, nodeIdOf(volume.root), Number.MAX_SAFE_INTEGER];

  const bodies: (() => Buffer)[] = [
    () => readBody(pick(50 * PAGE_BYTES), pick(2 ** 20)),
    () => readBody(pick(2 ** 31), pick(2 ** 31)),
    () => Buffer.from(`${volume.root.slice(0, pick(65))}\0`),
    () => Buffer.from(Array.from({ length: pick(120) }, () => pick(256))),
    () => Buffer.alloc(pick(200), pick(256)),
  ];
  function malformed(i: number): Buffer {
    const opcode = pick(10) === 0 ? pick(2 ** 31) : opcodes[pick(opcodes.length)]!;
    const bytes = request(opcode, bodies[pick(bodies.length)]!(), {
      unique: BigInt(i),
      nodeId: nodeIds[pick(nodeIds.length)]!,
    });
    if (pick(4) === 0) bytes[pick(bytes.length)] = pick(256);
    if (pick(8) === 0) return bytes.subarray(0, pick(bytes.length + 1));
    return bytes;
  }

  const growth = growthOf(() => {
    for (let i = 0; i < REQUESTS; i++) {
      const before = answered.length;
      session.receive(malformed(i));
      if (answered.length > before + 1) bad.push(`${answered.length - before} answers`);
      answered.length = 0;
    }
    waiting.close();
  });
  t.same(bad, []);
  t.ok(log.lines > REQUESTS / 20, `${log.lines} errors were told`);
  t.ok(growth < 64 * 1024 * 1024, `${growth} bytes of growth`);
  t.ok(session.files.find(volume.root), 'it still serves');
});

t.test('malformed frames', async (t) => {
  const pick = seededPick(t);
  const hex = () => randomBytes(32).toString('hex');
  const makers: (() => Frame)[] = [
    () => ({ type: 'bring', request: pick(2 ** 31), root: hex(), block: hex() }),
    () => ({ type: 'cancel', request: pick(2 ** 31) }),
    () => ({ type: 'done', request: pick(2 ** 31) }),
    () => ({ type: 'failed', request: pick(2 ** 31), reason: 'why not'.repeat(pick(300)) }),
  ];
  let [taken, refused] = [0, 0];
  const growth = growthOf(() => {
    let reader = new FrameReader();
    for (let i = 0; i < FRAMES; i++) {
      const bytes = encodeFrame(makers[pick(makers.length)]!());
      if (pick(3) === 0) bytes[pick(bytes.length)] = pick(256);
      const cut = pick(2) === 0 ? bytes.length : pick(bytes.length);
      try {
        for (const _ of reader.push(bytes.subarray(0, cut))) taken++;
        for (const _ of reader.push(bytes.subarray(cut))) taken++;
      } catch (error) {
        if ((error as Error).name !== 'BadFrameError') throw error;
        refused++;
        reader = new FrameReader();
      }
    }
  });
  t.ok(taken > FRAMES / 4 && refused > FRAMES / 20, `${taken} taken, ${refused} refused`);
  t.ok(growth < 64 * 1024 * 1024, `${growth} bytes of growth`);
});
