import t, { type Test } from 'tap';
import { logTwin } from '../bed.twin.ts';
import { VirtualClock } from './clock.twin.ts';
import { discoveryConformance, seen } from './discovery.conformance.ts';
import { ANNOUNCE_EVERY_MS, GONE_AFTER_MS } from './limits.ts';
import { MemoryBus } from './memory-discovery.ts';

function bed(t: Test) {
  const clock = new VirtualClock(t);
  const log = logTwin();
  return { clock, log, bus: new MemoryBus(clock, log) };
}

discoveryConformance(t, async (t) => {
  const { clock, bus } = bed(t);
  return {
    join: async (name) => {
      clock.advance(1);
      return bus.join(name, name.length);
    },
    split: (...groups) => bus.split(...groups),
    merge: () => bus.merge(),
    async until(condition) {
      for (let i = 0; i < 1000 && !condition(); i++) clock.advance(100);
      if (!condition()) throw new Error('waited for in vain');
    },
    settle: async () => clock.advance(100),
  };
});

t.test('who is in no group of a split is alone', async (t) => {
  const { clock, bus } = bed(t);
  const [n1, n2, n3, n4] = ['n1', 'n2', 'n3', 'n4'].map((name) => bus.join(name));
  bus.split(['n1', 'n2']);
  clock.advance(ANNOUNCE_EVERY_MS * 6);
  t.equal(seen(n1!), 'n2 alive, n3 suspect, n4 suspect');
  t.equal(seen(n2!), 'n1 alive, n3 suspect, n4 suspect');
  t.equal(seen(n3!), 'n1 suspect, n2 suspect, n4 suspect');
  t.equal(seen(n4!), 'n1 suspect, n2 suspect, n3 suspect');
});

t.test('a large cluster announces itself less often, and nobody is suspect for it', async (t) => {
  const { clock, bus } = bed(t);
  const twins = Array.from({ length: 150 }, (_, i) => bus.join(`n${i}`));
  clock.advance(30_000);
  for (const twin of twins) {
    t.equal(twin.members().length, 149);
    t.notOk(twin.members().find(({ state }) => state.kind !== 'alive'));
  }
});

t.test('a node whose clock went back is listened to nevertheless, and says so in its log', async (t) => {
  const { clock, log, bus } = bed(t);
  const n1 = bus.join('n1');
  const before = bus.join('n2');
  const { incarnation } = n1.members()[0]!;
  await before.stop();
  clock.advance(GONE_AFTER_MS + 1000);
  t.equal(seen(n1), 'n2 gone');
  clock.wall = () => 1000;
  const again = bus.join('n2');
  clock.advance(ANNOUNCE_EVERY_MS * 2);
  t.equal(seen(n1), 'n2 alive');
  t.equal(n1.members()[0]!.incarnation, incarnation + 1);
  t.equal(seen(again), 'n1 alive');
  t.match(log.lines, [[/announced by an earlier life/, { name: 'n2' }]]);
});

t.test('a double does not make two nodes shout each other down', async (t) => {
  const { clock, bus } = bed(t);
  const n1 = bus.join('n1');
  bus.join('n2');
  bus.join('n2');
  let changes = 0;
  n1.onChange(() => changes++);
  clock.advance(60_000);
  t.ok(changes > 0 && changes <= 2 * 60 + 2, `${changes} changes`);
});
