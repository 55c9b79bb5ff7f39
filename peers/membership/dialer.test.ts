import t, { type Test } from 'tap';
import { VirtualClock } from './clock.twin.ts';
import { Dialer, redialAfterMs, type Target } from './dialer.ts';
import { MAX_DIALS_AT_ONCE, REDIAL_FIRST_MS, REDIAL_MAX_MS } from './limits.ts';

const SECOND_MS = 1000;

function bed(t: Test) {
  const clock = new VirtualClock(t);
  const world = {
    targets: [] as Target[],
    /** Who answers at an address. */
    answers: new Map<string, string>(),
    connected: new Set<string>(),
    room: 100,
    dialled: [] as string[],
    waiting: [] as (() => void)[],
    slow: false,
  };
  const dialer = new Dialer({
    targets: () => world.targets,
    isConnected: (peerId) => world.connected.has(peerId),
    room: () => world.room,
    async dial({ address }) {
      world.dialled.push(address);
      if (world.slow) await new Promise<void>((resolve) => world.waiting.push(resolve));
      const peerId = world.answers.get(address);
      if (peerId === undefined) throw new Error('nobody');
      world.connected.add(peerId);
      return peerId;
    },
    clock,
  });
  t.teardown(() => dialer.stop());
  /** Lets promises settle between the ticks. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) {
      clock.advance(100);
      await new Promise(setImmediate);
    }
  };
  return { world, pass };
}

const configured = (address: string): Target => ({ address, fromMs: 0, isAlive: false });
const member = (name: string, isAlive = true): Target => ({
  address: name,
  peerId: name,
  fromMs: 0,
  isAlive,
});

t.test(
  'a configured address is dialled until somebody answers, and again when that one is lost',
  async (t) => {
    const { world, pass } = bed(t);
    world.targets = [configured('seed')];
    await pass(30 * SECOND_MS);
    const attempts = world.dialled.length;
    t.ok(attempts >= 4 && attempts <= 8, `${attempts} attempts`);
    world.answers.set('seed', 'n1');
    await pass(REDIAL_MAX_MS);
    t.ok(world.connected.has('n1'));
    const answered = world.dialled.length;
    await pass(300 * SECOND_MS);
    t.equal(world.dialled.length, answered, 'not while it is connected');
    world.connected.clear();
    await pass(3 * SECOND_MS);
    t.ok(world.connected.has('n1'));
  },
);

t.test('who is lost is looked for less and less often, but for ever', async (t) => {
  const { world, pass } = bed(t);
  world.targets = [configured('seed'), member('n2', false)];
  await pass(3600 * SECOND_MS);
  world.dialled = [];
  await pass(10 * REDIAL_MAX_MS);
  for (const address of ['seed', 'n2']) {
    const attempts = world.dialled.filter((one) => one === address).length;
    t.ok(attempts >= 9 && attempts <= 21, `${attempts} attempts`);
  }
});

t.test('waiting doubles up to a bound, and is scattered', async (t) => {
  t.equal(redialAfterMs(0, 0), REDIAL_FIRST_MS / 2);
  t.equal(redialAfterMs(3, 0.5), REDIAL_FIRST_MS * 6);
  t.equal(redialAfterMs(1000, 0), REDIAL_MAX_MS / 2);
});

t.test('with enough connections only those are dialled that may be the way to another half', async (t) => {
  const { world, pass } = bed(t);
  world.room = 0;
  world.targets = [configured('seed'), member('alive'), member('lost', false)];
  await pass(10 * SECOND_MS);
  t.strictSame([...new Set(world.dialled)].sort(), ['lost', 'seed']);
});

t.test('a bounded number is dialled at once, and the lost do not take all of it', async (t) => {
  const { world, pass } = bed(t);
  world.slow = true;
  world.targets = Array.from({ length: 100 }, (_, i) => member(`lost-${i}`, false));
  await pass(10 * SECOND_MS);
  t.equal(world.dialled.length, MAX_DIALS_AT_ONCE / 2);
  world.targets.push(...Array.from({ length: 100 }, (_, i) => member(`alive-${i}`)));
  await pass(10 * SECOND_MS);
  t.equal(world.dialled.length, MAX_DIALS_AT_ONCE);
  t.equal(world.dialled.filter((address) => address.startsWith('alive')).length, MAX_DIALS_AT_ONCE / 2);
});

t.test('a node with two addresses is dialled at one of them at a time', async (t) => {
  const { world, pass } = bed(t);
  world.slow = true;
  world.targets = [member('n1'), { ...member('n1'), address: 'elsewhere' }];
  await pass(10 * SECOND_MS);
  t.equal(world.dialled.length, 1);
});

t.test('a target that may wait is not dialled before its time', async (t) => {
  const { world, pass } = bed(t);
  world.targets = [{ ...member('n1'), fromMs: 5 * SECOND_MS }];
  world.answers.set('n1', 'n1');
  await pass(4 * SECOND_MS);
  t.strictSame(world.dialled, []);
  await pass(3 * SECOND_MS);
  t.strictSame(world.dialled, ['n1']);
});
