/** Which record of a layer is believed. */
import t from 'tap';
import { generator } from '../../blocks/testing.ts';
import type { LayerRecord } from '../../blocks/types.ts';
import { layer, sha, shuffled } from './bed.twin.ts';
import { parseTrust, settle } from './trust.ts';
import type { Held } from './types.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const SIGNED = parseTrust('signed');

function says(node: string, root: string, more: Partial<LayerRecord> = {}, createdMs = 1): Held<'layer'> {
  const content = layer('a', { root: sha(root), ...more });
  const id = sha(`${node} ${root} ${JSON.stringify(more)} ${createdMs}`);
  return { kind: 'layer', node, createdMs, content, id, signer: sha(`key of ${node}`) };
}

t.test('of a layer that nobody has, nothing is believed', async (t) => {
  t.same(settle([], SIGNED), { believed: false, why: 'absent' });
});

t.test('signed: one member that has made it is enough', async (t) => {
  for (const origin of ['ingested', 'walked'] as const) {
    const record = says('n1', 'r', { origin });
    t.same(settle([record], SIGNED), { believed: true, record, ingestedBy: origin === 'ingested' ? 1 : 0 });
  }
});

t.test('what nodes have only copied is not believed: who made it may be revoked by now', async (t) => {
  const copies = ['n2', 'n3', 'n4'].map((node) => says(node, 'lie', { origin: 'copied' }));
  t.same(settle(copies, SIGNED), { believed: false, why: 'absent' });
  const honest = says('n5', 'r');
  t.same(settle([...copies, honest], SIGNED), { believed: true, record: honest, ingestedBy: 1 });
});

t.test('quorum: as many different nodes have ingested the same root', async (t) => {
  const policy = parseTrust('quorum:2');
  const lacking = (ingestedBy: number) => ({ believed: false, why: 'quorum', ingestedBy, needed: 2 });
  const first = says('n1', 'r');
  t.same(settle([first], policy), lacking(1));
  const others = [
    says('n2', 'r', { origin: 'copied' }),
    says('n3', 'r', { origin: 'walked' }),
    says('n4', 'another root'),
    says('n5', 'r', { format: 'erofs-tar-zstd-1' }),
  ];
  t.same(settle([first, ...others], policy), lacking(1));
  const again = { ...says('n1', 'r', {}, 5), signer: sha('another key of n1') };
  t.same(settle([first, again], policy), lacking(1), 'one node with two keys counts once');
  t.same(settle([first, ...others, says('n6', 'r')], policy), {
    believed: true,
    record: first.id < says('n6', 'r').id ? first : says('n6', 'r'),
    ingestedBy: 2,
  });
});

t.test('of two roots the one that more nodes have ingested is taken, then the lower', async (t) => {
  const [low, high] = ['x', 'y'].sort((a, b) => (sha(a) < sha(b) ? -1 : 1)) as [string, string];
  const root = (records: Held<'layer'>[]) => {
    const verdict = settle(records, SIGNED);
    return verdict.believed && verdict.record.content.root;
  };
  t.equal(root([says('n1', high), says('n2', low)]), sha(low));
  t.equal(root([says('n1', high), says('n2', low), says('n3', high)]), sha(high));
  const copies = ['n4', 'n5', 'n6'].map((node) => says(node, low, { origin: 'copied' }));
  t.equal(root([says('n1', high), ...copies]), sha(high), 'copies weigh nothing');
});

t.test('a lie about format or parent of a root does not stick to it', async (t) => {
  const honest = [says('n1', 'r'), says('n2', 'r')];
  const lie = says('n0', 'r', { format: 'a', diffId: '', origin: 'walked', parent: layer('z').chainId });
  const verdict = settle([lie, ...honest], SIGNED);
  t.match(verdict, { believed: true, record: { content: { format: 'erofs-tar-lz4-1', parent: '' } } });
});

t.test('the order of the records makes no difference', async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = generator(SEED);
  for (let round = 0; round < 500; round++) {
    const records = Array.from({ length: 1 + random.below(12) }, (_, i) =>
      says(
        `n${random.below(6)}`,
        `r${random.below(3)}`,
        { origin: random.pick(['ingested', 'walked', 'copied'] as const), format: random.pick(['f', 'g']) },
        i,
      ),
    );
    const policy = random.pick([SIGNED, parseTrust('quorum:2'), parseTrust('quorum:3')]);
    const verdict = settle(records, policy);
    if (!isSame(verdict, settle(shuffled(records, random.below), policy)))
      return t.fail('another verdict', { records, policy });
  }
  t.pass('500 rounds');
});

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

t.test('the policy is read from the configuration strictly', async (t) => {
  t.same(parseTrust('quorum:12'), { kind: 'quorum', nodes: 12 });
  for (const text of [
    '',
    'quorum',
    'quorum:0',
    'quorum:-1',
    'quorum:1.5',
    'quorum:1001',
    'Signed',
    'signed ',
  ])
    t.throws(() => parseTrust(text), RangeError, text);
});
