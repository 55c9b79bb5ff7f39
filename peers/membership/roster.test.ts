import t, { type Test } from 'tap';
import type { Age } from './announcement.ts';
import { VirtualClock } from './clock.twin.ts';
import { ANNOUNCE_EVERY_MS, FORGET_AFTER_MS, GONE_AFTER_MS, MAX_MEMBERS } from './limits.ts';
import { type Heard, Roster } from './roster.ts';

const NOBODY = new Map<string, Age>();

function said(name: string, incarnation: number, sequence: number, more: object = {}): Heard {
  const announcement = {
    incarnation,
    sequence,
    everyMs: ANNOUNCE_EVERY_MS,
    capacityBytes: 1000,
    leaving: false,
    service: `${name}:7400`,
    address: `${name}:7401`,
    ...more,
  };
  return {
    name,
    peerId: `peer-${name}`,
    announcement,
    bytes: Buffer.from(`${name} ${incarnation} ${sequence}`),
  };
}

function bed(t: Test) {
  const clock = new VirtualClock(t);
  let changes = 0;
  const roster = new Roster(clock, () => changes++);
  const state = (name: string) => roster.members().find((member) => member.name === name)?.state.kind;
  return { clock, roster, state, changes: () => changes };
}

t.test(
  'a member that is heard of stays alive; one that falls silent is suspect, then gone, then forgotten',
  async (t) => {
    const { clock, roster, state } = bed(t);
    for (let sequence = 1; sequence <= 100; sequence++) {
      roster.hear(said('n1', 1, sequence));
      clock.advance(ANNOUNCE_EVERY_MS);
      t.equal(state('n1'), 'alive');
    }
    const heardMs = clock.now() - ANNOUNCE_EVERY_MS;
    clock.advance(2 * ANNOUNCE_EVERY_MS);
    t.equal(state('n1'), 'alive', 'two missed');
    clock.advance(2 * ANNOUNCE_EVERY_MS);
    t.equal(state('n1'), 'suspect', 'and then more than three');
    clock.advance(heardMs + GONE_AFTER_MS - clock.now() - 2000);
    t.equal(state('n1'), 'suspect', 'as long as it may be a reboot');
    clock.advance(4000);
    t.equal(state('n1'), 'gone');
    t.same(roster.members()[0]?.state, { kind: 'gone', sinceMs: heardMs + GONE_AFTER_MS });
    clock.advance(FORGET_AFTER_MS);
    t.equal(state('n1'), undefined);
  },
);

t.test('a node that announces itself less often is suspect later', async (t) => {
  const { clock, roster, state } = bed(t);
  roster.hear(said('n1', 1, 1, { everyMs: 60_000 }));
  clock.advance(3 * 60_000);
  t.equal(state('n1'), 'alive');
  clock.advance(60_000);
  t.equal(state('n1'), 'suspect');
});

t.test('a node that returns is alive at once, from every state', async (t) => {
  for (const [silentMs, before] of [
    [20_000, 'suspect'],
    [GONE_AFTER_MS + 1000, 'gone'],
  ] as const) {
    const { clock, roster, state } = bed(t);
    roster.hear(said('n1', 1, 7));
    clock.advance(silentMs);
    t.equal(state('n1'), before);
    t.ok(roster.hear(said('n1', 2, 1)));
    t.equal(state('n1'), 'alive');
    t.equal(roster.members()[0]?.incarnation, 2);
  }
  const { roster, state } = bed(t);
  roster.hear(said('n1', 1, 7, { leaving: true }));
  t.equal(state('n1'), 'left');
  roster.hear(said('n1', 2, 0));
  t.equal(state('n1'), 'alive');
});

t.test('who says good-bye has left at once, and stays so', async (t) => {
  const { clock, roster, state } = bed(t);
  roster.hear(said('n1', 1, 1));
  roster.hear(said('n1', 1, 2, { leaving: true }));
  t.equal(state('n1'), 'left');
  clock.advance(GONE_AFTER_MS * 2);
  t.equal(state('n1'), 'left');
});

t.test('what is older or was heard before changes nothing and keeps nobody alive', async (t) => {
  const { clock, roster, state, changes } = bed(t);
  roster.hear(said('n1', 5, 5));
  const before = changes();
  for (let i = 0; i < 4; i++) {
    clock.advance(ANNOUNCE_EVERY_MS);
    t.notOk(roster.hear(said('n1', 5, 5)), 'the same');
    t.notOk(roster.hear(said('n1', 5, 4)), 'earlier in this life');
    t.notOk(roster.hear(said('n1', 4, 99, { leaving: true })), 'of the life before');
    t.notOk(roster.hear(said('n1', 5, 5, { service: 'elsewhere:1' })), 'another one under the same number');
  }
  t.equal(state('n1'), 'suspect');
  t.equal(changes(), before + 1);
  t.equal(roster.members()[0]?.service, 'n1:7400');
  clock.advance(GONE_AFTER_MS);
  t.notOk(roster.hear(said('n1', 5, 5)));
  t.equal(state('n1'), 'gone');
});

t.test('listeners hear of what changes, not of each sign of life', async (t) => {
  const { roster, changes } = bed(t);
  roster.hear(said('n1', 1, 1));
  t.equal(changes(), 1);
  const members = roster.members();
  roster.hear(said('n1', 1, 2));
  t.equal(changes(), 1);
  t.equal(roster.members(), members, 'the same array');
  roster.hear(said('n1', 1, 3, { capacityBytes: 7 }));
  t.equal(changes(), 2);
  t.equal(roster.members()[0]?.capacityBytes, 7);
  roster.hear(said('n1', 2, 0, { capacityBytes: 7 }));
  t.equal(changes(), 3, 'a restart is one');
});

t.test('what is passed on with its age does not make a member younger, nor a known one older', async (t) => {
  const { clock, roster, state } = bed(t);
  clock.advance(3_600_000);
  roster.hear(said('n1', 1, 1), ANNOUNCE_EVERY_MS * 4);
  t.equal(state('n1'), 'suspect', 'new, and silent for some time');
  roster.hear(said('n2', 1, 1));
  roster.hear(said('n2', 1, 2), GONE_AFTER_MS);
  t.equal(state('n2'), 'alive');
});

t.test('another node is told what it lacks, and nobody of a member gone that it never knew', async (t) => {
  const { clock, roster } = bed(t);
  roster.hear(said('gone', 1, 1));
  clock.advance(GONE_AFTER_MS);
  roster.hear(said('left', 1, 1, { leaving: true }));
  roster.hear(said('n1', 3, 1));
  clock.advance(2000);
  roster.hear(said('n2', 4, 4));
  const told = (digest: ReadonlyMap<string, Age>) =>
    roster.newerThan(digest).map(({ bytes, agoMs }) => [bytes.toString(), agoMs]);
  t.strictSame(told(NOBODY), [
    ['left 1 1', 2000],
    ['n1 3 1', 2000],
    ['n2 4 4', 0],
  ]);
  const digest = new Map([
    ['n1', { incarnation: 2, sequence: 99 }],
    ['n2', { incarnation: 4, sequence: 4 }],
    ['left', { incarnation: 2, sequence: 0 }],
  ]);
  t.strictSame(told(digest), [['n1 3 1', 2000]]);
  t.strictSame(
    told(
      new Map([
        ...digest,
        ['gone', { incarnation: 0, sequence: 9 }],
        ['n1', { incarnation: 9, sequence: 0 }],
      ]),
    ),
    [['gone 1 1', GONE_AFTER_MS + 2000]],
  );
  t.strictSame(roster.digest().get('gone'), said('gone', 1, 1).announcement, 'but it knows its number');
});

t.test('members are bounded: who is gone makes room, and the living do not', async (t) => {
  const { clock, roster, state } = bed(t);
  roster.hear(said('gone-first', 1, 1));
  clock.advance(1000);
  roster.hear(said('gone-second', 1, 1));
  clock.advance(GONE_AFTER_MS);
  for (let i = 2; i < MAX_MEMBERS; i++) roster.hear(said(`n${i}`, 1, 1));
  t.equal(roster.members().length, MAX_MEMBERS);
  t.ok(roster.hear(said('new-1', 1, 1)));
  t.equal(state('gone-first'), undefined);
  t.equal(state('gone-second'), 'gone');
  t.ok(roster.hear(said('new-2', 1, 1)));
  t.notOk(roster.hear(said('new-3', 1, 1)));
  t.equal(roster.members().length, MAX_MEMBERS);
  t.ok(roster.hear(said('n2', 1, 2)), 'but members are heard');
});
