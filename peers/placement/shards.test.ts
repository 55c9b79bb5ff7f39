import { createHash } from 'node:crypto';
import t from 'tap';
import { draw, minusLn, SHARDS, seedOf, shardOf } from './shards.ts';

t.test('block ids spread evenly over all shards', async (t) => {
  t.equal(shardOf('0'.repeat(64)), 0);
  t.equal(shardOf('f'.repeat(64)), SHARDS - 1);
  t.equal(shardOf(`0004${'0'.repeat(60)}`), 1);
  t.equal(shardOf(`a9bc${'0'.repeat(60)}`), 0xa9bc >> 2);
  const counts = new Uint32Array(SHARDS);
  const each = 8;
  for (let i = 0; i < SHARDS * each; i++) {
    counts[shardOf(createHash('sha256').update(String(i)).digest('hex'))]!++;
  }
  const chi = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
  t.ok(Math.abs(chi - SHARDS) < 5 * Math.sqrt(2 * SHARDS), `chi-squared ${chi} of ${SHARDS}`);
});

t.test(
  'draws are even for each member, and those of two members have nothing to do with each other',
  async (t) => {
    const cells = 64;
    const names = ['n1', 'n2', 'node-with-a-long-name.example', 'n10'];
    for (const name of names) {
      const { high, low } = seedOf(name);
      const counts = new Uint32Array(cells);
      for (let shard = 0; shard < SHARDS; shard++) counts[Math.floor(draw(high, low, shard) * cells)]!++;
      const each = SHARDS / cells;
      const chi = counts.reduce((sum, count) => sum + (count - each) ** 2 / each, 0);
      t.ok(chi < cells + 5 * Math.sqrt(2 * cells), `${name}: chi-squared ${chi} of ${cells}`);
    }
    let sum = 0;
    const [a, b] = [seedOf('n1'), seedOf('n2')];
    for (let shard = 0; shard < SHARDS; shard++) {
      sum += (draw(a.high, a.low, shard) - 0.5) * (draw(b.high, b.low, shard) - 0.5);
    }
    const correlation = (sum / SHARDS) * 12;
    t.ok(Math.abs(correlation) < 5 / Math.sqrt(SHARDS), `correlation ${correlation}`);
  },
);

t.test('all nodes draw the same: these are the numbers', async (t) => {
  const { high, low } = seedOf('n1');
  t.same({ high, low }, { high: 1685263881, low: 1476826790 });
  t.same(
    [0, 1, SHARDS - 1].map((shard) => draw(high, low, shard)),
    [0.9865221372751302, 0.07905291239286838, 0.6770697072623671],
  );
});

t.test('the logarithm is right to 8 digits from end to end, and never zero', async (t) => {
  for (let i = 0; i < 100_000; i++) {
    const u = Math.max(2 ** -32, ((i + 0.5) / 100_000) ** (1 + (i % 9)));
    const error = Math.abs(minusLn(u) / -Math.log(u) - 1);
    if (error > 1e-8) t.fail(`minusLn(${u}) is wrong by ${error}`);
  }
  t.ok(minusLn(1 - 2 ** -53) > 0);
  t.ok(Math.abs(minusLn(2 ** -32) - 32 * Math.LN2) < 1e-6);
});
