import t from 'tap';
import { MAX_FOUND_PEERS } from './limits.ts';
import { Targets } from './targets.ts';
import type { Member, MemberState } from './types.ts';

function member(name: string, kind: MemberState['kind']): Member {
  const state = kind === 'alive' ? { kind } : { kind, sinceMs: 0 };
  return {
    name,
    peerId: `id-${name}`,
    service: '',
    address: `${name}:7401`,
    capacityBytes: 1,
    incarnation: 1,
    state,
  };
}

function bed(members: Member[], connected: string[] = []) {
  const world = { nowMs: 1000, members, connected: new Set(connected) };
  const targets = new Targets({
    self: { name: 'n5', address: 'n5:7401' },
    bootstrap: ['n5:7401', 'seed:7401', 'n6:7401'],
    members: () => world.members,
    isConnected: (peerId) => world.connected.has(peerId),
    clock: { now: () => world.nowMs },
  });
  return { world, targets };
}

t.test(
  'configured addresses but its own are targets, and living ones once it is known who is there',
  async (t) => {
    const { targets } = bed([member('n6', 'alive')]);
    const answered = (address: string) => (address === 'n6:7401' ? 'id-n6' : undefined);
    const configured = targets.list(answered).filter((target) => !('peerId' in target));
    t.strictSame(configured, [
      { address: 'seed:7401', fromMs: 0, isAlive: false },
      { address: 'n6:7401', fromMs: 0, isAlive: true },
    ]);
  },
);

t.test(
  'all members but those who left are targets; the one whose name comes first dials first',
  async (t) => {
    const { world, targets } = bed([
      member('n1', 'alive'),
      member('n7', 'gone'),
      member('n8', 'left'),
      member('n9', 'suspect'),
    ]);
    const members = () =>
      targets
        .list(() => undefined)
        .filter((target) => 'peerId' in target)
        .map(({ address, fromMs, isAlive }) => [address, fromMs, isAlive]);
    t.strictSame(members(), [
      ['n1:7401', 4000, true],
      ['n7:7401', 1000, false],
      ['n9:7401', 1000, false],
    ]);
    world.nowMs = 2000;
    t.strictSame(members()[0], ['n1:7401', 4000, true], 'from when it was first seen apart');
    world.connected.add('id-n1');
    members();
    world.connected.clear();
    t.strictSame(members()[0], ['n1:7401', 5000, true], 'and again when it is lost');
  },
);

t.test('what multicast DNS has found is a target until it is a known member, and bounded', async (t) => {
  const { targets } = bed([member('n8', 'left')]);
  targets.found('id-n8', '10.0.0.8:7401');
  for (let i = 0; i <= MAX_FOUND_PEERS; i++) targets.found(`id-${i}`, `10.0.1.${i}:7401`);
  targets.found('id-8', '10.0.2.8:7401');
  const found = targets.list(() => undefined).filter(({ address }) => address.startsWith('10.'));
  t.equal(found.length, MAX_FOUND_PEERS);
  t.equal(found.at(-1)?.address, '10.0.2.8:7401', 'the latest');
  t.notOk(
    found.find(({ address }) => address === '10.0.1.0:7401'),
    'not the oldest',
  );
});
