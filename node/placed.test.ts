import t from 'tap';
import type { PinAnswer, PinRequest } from '../peers/placement/messages.ts';
import { Owners } from '../peers/placement/owners.ts';
import type { ClusterMember } from './member.ts';
import { isPlaced } from './placed.ts';
import { memoryVolumes, pageVolume } from './twins.ts';

const BLOCKS = 2000;

async function bed(names: readonly string[]) {
  const { root, encoded } = pageVolume(Array.from({ length: BLOCKS }, (_, n) => n));
  const volumes = memoryVolumes();
  await volumes.put(root, encoded);
  const owners = Owners.of(
    names.map((name) => ({ name, capacityBytes: 1 })),
    2,
  );
  const asked: PinRequest[] = [];
  const state = { answer: (_id: string): PinAnswer => 'kept', isPinned: (_id: string) => true };
  const member = {
    name: 'n1',
    custody: { owners: () => owners, custodian: { isPinned: (id: string) => state.isPinned(id) } },
    neighbours: {
      async pin(_owner: string, request: PinRequest) {
        asked.push(request);
        return request.ids.map((id) => state.answer(id));
      },
    },
  } as unknown as ClusterMember;
  return { state, asked, isPlaced: () => isPlaced(member, volumes, root) };
}

t.test('a volume is placed when every owner of every block keeps it', async (t) => {
  const { state, asked, isPlaced } = await bed(['n1', 'n2', 'n3']);
  t.equal(await isPlaced(), true);
  const last = asked.at(-1)!.ids.at(-1)!;
  state.answer = (id) => (id === last ? 'absent' : 'kept');
  t.equal(await isPlaced(), false);
  state.answer = () => 'kept';
  state.isPinned = () => false;
  t.equal(await isPlaced(), false);
});

t.test('every block is asked for of each of its owners, and no more once one is missing', async (t) => {
  const { state, asked, isPlaced } = await bed(['n2', 'n3']);
  t.equal(await isPlaced(), true);
  t.equal(asked.flatMap(({ ids }) => ids).length, 2 * BLOCKS);
  asked.length = 0;
  state.answer = () => 'absent';
  t.equal(await isPlaced(), false);
  t.equal(asked.length, 1);
});

t.test('a node alone has nobody to lean on', async (t) => {
  t.equal(await (await bed(['n1'])).isPlaced(), false);
});
