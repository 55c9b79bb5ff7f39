import t from 'tap';
import type { BlockId, Root } from '../../blocks/types.ts';
import type { Feeder } from './types.ts';
import { WaitingReads } from './waiting-reads.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const BLOCK = '1'.repeat(64);

class ManualFeeder implements Feeder {
  readonly asked: { root: Root; block: BlockId; done: (failure?: string) => void }[] = [];
  withdrawn = 0;

  bring(root: Root, block: BlockId, done: (failure?: string) => void): () => void {
    this.asked.push({ root, block, done });
    return () => {
      this.withdrawn++;
    };
  }
}

t.test('reads of one volume that miss the same block ask for it once', async (t) => {
  const feeder = new ManualFeeder();
  const reads = new WaitingReads(feeder, 60_000);
  const settled: string[] = [];
  reads.wait(A, [BLOCK], () => settled.push('first'));
  reads.wait(A, [BLOCK, BLOCK], () => settled.push('second'));
  t.equal(feeder.asked.length, 1);
  feeder.asked[0]?.done();
  t.same(settled, ['first', 'second']);
  t.equal(reads.count, 0);
});

t.test('what is given up for one volume does not fail the reads of another', async (t) => {
  const feeder = new ManualFeeder();
  const reads = new WaitingReads(feeder, 60_000);
  const settled: string[] = [];
  reads.wait(A, [BLOCK], (failure) => settled.push(`A ${failure ? 'failed' : 'came'}`));
  reads.wait(B, [BLOCK], (failure) => settled.push(`B ${failure ? 'failed' : 'came'}`));
  feeder.asked[0]?.done('nobody uses the volume any longer');
  t.same(settled, ['A failed']);
  feeder.asked[1]?.done();
  t.same(settled, ['A failed', 'B came']);
});

t.test('the last reader that gives up withdraws the request', async (t) => {
  const feeder = new ManualFeeder();
  const reads = new WaitingReads(feeder, 60_000);
  const first = reads.wait(A, [BLOCK], () => t.fail('not settled'));
  const second = reads.wait(A, [BLOCK], () => t.fail('not settled'));
  first();
  t.equal(feeder.withdrawn, 0);
  second();
  t.equal(feeder.withdrawn, 1);
  t.equal(reads.count, 0);
});
