import t from 'tap';
import { DelayQueue, maxPacketBytes } from './delay-queue.ts';

function add(queue: DelayQueue, packet: Buffer, dueMs: number): boolean {
  const start = queue.reserve();
  if (start === undefined) return false;
  packet.copy(queue.bytes, start);
  queue.commit(packet.length, dueMs);
  return true;
}

t.test('packets leave in the order they came, with their times', async (t) => {
  const queue = new DelayQueue(0);
  t.equal(queue.dueMs, Number.POSITIVE_INFINITY);
  add(queue, Buffer.from('one'), 5);
  add(queue, Buffer.from('two'), 6);
  t.equal(queue.dueMs, 5);
  t.equal(queue.take().toString(), 'one');
  t.equal(queue.dueMs, 6);
  t.equal(queue.take().toString(), 'two');
  t.equal(queue.length, 0);
});

t.test('any mix of sizes goes through a small ring undamaged, and a full ring says so', async (t) => {
  const queue = new DelayQueue(0);
  const waiting: Buffer[] = [];
  let seed = 1;
  const random = (below: number) => {
    seed = (seed * 1103515245 + 12345) % 2 ** 31;
    return seed % below;
  };
  let refused = 0;
  for (let step = 0; step < 20_000; step += 1) {
    if (random(3) > 0) {
      const packet = Buffer.alloc(random(8) === 0 ? maxPacketBytes : 1 + random(1500), step % 251);
      if (add(queue, packet, step)) waiting.push(packet);
      else refused += 1;
    } else if (waiting.length > 0) {
      if (!queue.take().equals(waiting.shift()!)) return t.fail(`a packet was damaged at step ${step}`);
    }
    if (queue.length !== waiting.length) return t.fail(`a packet was lost at step ${step}`);
  }
  t.ok(refused > 0);
});
