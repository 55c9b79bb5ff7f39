/** What every `Discovery` does: run on libp2p and on the twin in memory. */
import type { Test } from 'tap';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import type { Discovery, Member } from './types.ts';

/** A cluster and the hands to hurt it. */
export interface Subject {
  /** Starts a node, or starts it again. Its capacity is the length of its name. */
  join(name: string): Promise<Discovery>;
  /** Nothing passes any more between nodes of different groups. */
  split(...groups: string[][]): void;
  merge(): void;
  /** Lets time pass until this holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets time pass in which anything on the way arrives. */
  settle(): Promise<void>;
}

type Make = (t: Test) => Promise<Subject>;

/** `n2 alive, n3 suspect`. */
export function seen(discovery: Discovery): string {
  const members = discovery.members();
  return members.map(({ name, state }) => `${name} ${state.kind}`).join(', ');
}

async function trio(subject: Subject): Promise<[Discovery, Discovery, Discovery]> {
  const [n1, n2, n3] = [await subject.join('n1'), await subject.join('n2'), await subject.join('n3')];
  await subject.until(() => seen(n1) === 'n2 alive, n3 alive');
  await subject.until(() => seen(n2) === 'n1 alive, n3 alive');
  await subject.until(() => seen(n3) === 'n1 alive, n2 alive');
  return [n1, n2, n3];
}

/** Says something until all have heard it: a first message may come before those who subscribe are known. */
async function warmUp(subject: Subject, from: Discovery, heard: () => boolean): Promise<void> {
  while (!heard()) {
    await from.publish('news', Buffer.from('warm'));
    await subject.settle();
  }
  await subject.settle();
}

const find = (discovery: Discovery, wanted: string): Member | undefined =>
  discovery.members().find(({ name }) => name === wanted);

export function discoveryConformance(t: Test, make: Make): void {
  membersConformance(t, make);
  topicsConformance(t, make);
}

function membersConformance(t: Test, make: Make): void {
  t.test('nodes that joined know of each other what each says of itself', async (t) => {
    const [n1] = await trio(await make(t));
    const { service, address, capacityBytes, incarnation, peerId } = find(n1, 'n2')!;
    t.match(service, /:7400$/);
    t.match(address, /:\d+$/);
    t.equal(capacityBytes, 2);
    t.ok(incarnation > 0);
    t.not(peerId, find(n1, 'n3')!.peerId);
    t.equal(n1.members(), n1.members(), 'the same array until something changes');
  });

  t.test('who leaves has left at once, and is alive again when it returns', async (t) => {
    const subject = await make(t);
    const [n1, n2, n3] = await trio(subject);
    const { incarnation } = find(n1, 'n3')!;
    await n3.leave();
    await subject.until(() => seen(n1) === 'n2 alive, n3 left');
    await subject.until(() => seen(n2) === 'n1 alive, n3 left');
    await n3.stop();
    await subject.join('n3');
    await subject.until(() => seen(n1) === 'n2 alive, n3 alive');
    t.ok(find(n1, 'n3')!.incarnation > incarnation);
  });

  t.test('who stops without a word is suspect, and alive again when it returns', async (t) => {
    const subject = await make(t);
    const [n1, , n3] = await trio(subject);
    await n3.stop();
    await subject.until(() => seen(n1) === 'n2 alive, n3 suspect');
    const again = await subject.join('n3');
    await subject.until(() => seen(n1) === 'n2 alive, n3 alive');
    await subject.until(() => seen(again) === 'n1 alive, n2 alive');
    t.pass('both know');
  });

  t.test('the halves of a split cluster suspect each other, go on, and find together again', async (t) => {
    const subject = await make(t);
    const [n1, n2, n3] = await trio(subject);
    subject.split(['n1', 'n2'], ['n3']);
    await subject.until(() => seen(n1) === 'n2 alive, n3 suspect');
    await subject.until(() => seen(n2) === 'n1 alive, n3 suspect');
    await subject.until(() => seen(n3) === 'n1 suspect, n2 suspect');
    subject.merge();
    await subject.until(() => seen(n1) === 'n2 alive, n3 alive');
    await subject.until(() => seen(n2) === 'n1 alive, n3 alive');
    await subject.until(() => seen(n3) === 'n1 alive, n2 alive');
    t.pass('all know all');
  });

  t.test('a listener is told of a change, until it has had enough', async (t) => {
    const subject = await make(t);
    const n1 = await subject.join('n1');
    const told: string[] = [];
    const end = n1.onChange(() => told.push(seen(n1)));
    let others = 0;
    n1.onChange(() => others++);
    const n2 = await subject.join('n2');
    await subject.until(() => told.length > 0);
    t.equal(told[0], 'n2 alive');
    end();
    const toldBefore = told.length;
    const othersBefore = others;
    await n2.leave();
    await subject.until(() => others > othersBefore);
    t.equal(told.length, toldBefore);
  });
}

function topicsConformance(t: Test, make: Make): void {
  t.test('what is published reaches all who subscribe, under the name of its sender', async (t) => {
    const subject = await make(t);
    const [n1, n2, n3] = await trio(subject);
    const got: string[] = [];
    const keep = (at: string) => (bytes: Uint8Array, from: string) =>
      void got.push(`${at}: ${Buffer.from(bytes)} of ${from}`);
    const ends = [n1, n2, n3].map((node, i) => node.subscribe('news', keep(`n${i + 1}`)));
    n3.subscribe('other', keep('n3 other'));
    await warmUp(subject, n1, () => ['n2', 'n3'].every((name) => got.includes(`${name}: warm of n1`)));
    got.length = 0;
    await n1.publish('news', Buffer.from('hello'));
    await subject.until(() => got.length >= 2);
    await subject.settle();
    t.strictSame(got.sort(), ['n2: hello of n1', 'n3: hello of n1'], 'not itself, and nobody else');
    ends[1]!();
    got.length = 0;
    await subject.settle();
    await n1.publish('news', Buffer.from('again'));
    await subject.until(() => got.length >= 1);
    await subject.settle();
    t.strictSame(got, ['n3: again of n1'], 'not who has had enough');
  });

  t.test('one function that subscribes twice is told twice, and ends each by itself', async (t) => {
    const subject = await make(t);
    const [n1, n2] = await trio(subject);
    let told = 0;
    const count = () => void told++;
    const first = n2.subscribe('news', count);
    n2.subscribe('news', count);
    await warmUp(subject, n1, () => told > 0);
    told = 0;
    await n1.publish('news', Buffer.of(1));
    await subject.until(() => told === 2);
    first();
    first();
    await n1.publish('news', Buffer.of(2));
    await subject.until(() => told >= 3);
    await subject.settle();
    t.equal(told, 3);
  });

  t.test('topics and messages are bounded', async (t) => {
    const subject = await make(t);
    const [n1, n2] = await trio(subject);
    const lengths: number[] = [];
    n2.subscribe('news', (bytes) => void lengths.push(bytes.length));
    await warmUp(subject, n1, () => lengths.length > 0);
    lengths.length = 0;
    await t.rejects(n1.publish('news', Buffer.alloc(MAX_MESSAGE_BYTES + 1)), RangeError);
    await n1.publish('news', Buffer.alloc(MAX_MESSAGE_BYTES));
    await subject.until(() => lengths.length > 0);
    t.strictSame(lengths, [MAX_MESSAGE_BYTES]);
    for (const topic of ['', 'A', 'a b', '-a', 'a'.repeat(33)]) {
      await t.rejects(n1.publish(topic, Buffer.alloc(1)), TypeError);
      t.throws(() => n1.subscribe(topic, () => {}), TypeError);
    }
  });

  t.test('nothing that is published crosses a split', async (t) => {
    const subject = await make(t);
    const [n1, n2, n3] = await trio(subject);
    const got: string[] = [];
    n2.subscribe('news', (bytes) => void got.push(`n2 ${Buffer.from(bytes)}`));
    n3.subscribe('news', (bytes) => void got.push(`n3 ${Buffer.from(bytes)}`));
    subject.split(['n1', 'n2'], ['n3']);
    await subject.until(() => seen(n1) === 'n2 alive, n3 suspect');
    await n1.publish('news', Buffer.from('near'));
    await subject.until(() => got.length > 0);
    await subject.settle();
    t.strictSame(got, ['n2 near']);
    subject.merge();
    await subject.until(() => seen(n1) === 'n2 alive, n3 alive');
    await warmUp(subject, n1, () => got.includes('n3 warm'));
    t.pass('and after it, it arrives');
  });
}
