import { hash } from 'node:crypto';
import t from 'tap';
import { decodeIndex, encodeIndex } from '../blocks/volume.ts';
import { blocksOf, misplaced, sharesOf, sizeOf } from './storage-plan.ts';

const idOf = (i: number): string => hash('sha256', `block ${i}`, 'hex');

/** A volume of these blocks, 8 KiB each; the first of them is metadata. */
function volume(...numbers: number[]) {
  const entries = numbers.map((i, at) => ({ id: idOf(i), sizeBytes: 8192, metadata: at === 0 }));
  return decodeIndex(encodeIndex('test', entries));
}

const many = Array.from({ length: 500 }, (_, i) => i);
const nodes = ['n1', 'n2', 'n3', 'n4', 'n5'];

t.test('blocks that two volumes share count once, and as metadata when one of them says so', async (t) => {
  const blocks = blocksOf([volume(1, 2, 3), volume(2, 3)]);
  t.equal(blocks.size, 3);
  t.equal(sizeOf(blocks), 3 * 8192);
  t.same(
    [1, 2, 3].map((i) => blocks.get(idOf(i))!.isMetadata),
    [true, true, false],
  );
  const reversed = blocksOf([volume(2, 3), volume(1, 2, 3)]);
  t.same(
    [1, 2, 3].map((i) => reversed.get(idOf(i))!.isMetadata),
    [true, true, false],
    'in whatever order they come',
  );
});

t.test('every block is owned by as many nodes as there are to be replicas', async (t) => {
  const blocks = blocksOf([volume(...many)]);
  for (const replicas of [1, 2, 3]) {
    const shares = sharesOf(blocks, nodes, replicas);
    t.same(
      shares.map(({ node }) => node),
      nodes,
    );
    for (const id of blocks.keys()) {
      const owners = shares.filter(({ owned }) => owned.has(id)).length;
      if (owners !== replicas) t.fail(`${id} has ${owners} owners, not ${replicas}`);
    }
    t.equal(
      shares.reduce((sum, { owned }) => sum + sizeOf(blocks, owned), 0),
      replicas * sizeOf(blocks),
    );
  }
});

t.test('the node that has pulled keeps all metadata blocks, the others just what they own', async (t) => {
  const blocks = blocksOf(many.map((i) => volume(i, i + 500)));
  const [first, ...others] = sharesOf(blocks, nodes, 2);
  for (const i of many) if (!first!.kept.has(idOf(i))) t.fail(`block ${i} is metadata`);
  t.ok(first!.kept.size < blocks.size, 'but not all blocks');
  for (const { owned, kept } of others) t.same(kept, owned);
});

t.test('a block that is missing, and one that is here without a reason, are out of place', async (t) => {
  const blocks = blocksOf([volume(...many)]);
  const share = sharesOf(blocks, nodes, 2)[1]!;
  const held = new Set(share.owned);
  t.same(misplaced(blocks, share, held), { missing: 0, excess: 0 });
  const strange = [...blocks.keys()].find((id) => !share.owned.has(id))!;
  held.delete([...share.owned][0]!);
  held.add(strange);
  t.same(misplaced(blocks, share, held), { missing: 1, excess: 1 });
  held.add(hash('sha256', 'a manifest', 'hex'));
  t.same(misplaced(blocks, share, held), { missing: 1, excess: 1 }, 'what no volume names is not looked at');
});
