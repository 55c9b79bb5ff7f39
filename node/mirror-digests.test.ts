import t, { type Test } from 'tap';
import { DirectoryBed, digest, layer, ref, sha } from '../peers/directory/bed.twin.ts';
import { createDigestLookup } from './mirror-digests.ts';

async function setUp(t: Test, maxDigests?: number) {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const lookup = createDigestLookup(directory, maxDigests);
  t.teardown(() => lookup.close());
  const add = async (node: string, ...args: Parameters<typeof ref>) =>
    directory.put(await bed.record(node, 'ref', ref(...args)));
  const found = async (name: string) => (await lookup.byDigest(digest(name))).length;
  return { bed, directory, lookup, add, found };
}

const chain = [layer('base').chainId];
const object = (name: string) => ({
  digest: digest(name),
  sizeBytes: 9,
  mediaType: 'application/json',
  blocks: [sha(`block of ${name}`)],
});

t.test(
  'objects are found by their digests, whether known before the first question or after it',
  async (t) => {
    const { add, found, lookup } = await setUp(t);
    await add('n2', 'app:v1', chain, { index: object('an index') });
    t.equal(await found('an index'), 1);
    t.equal(await found('config of app:v1'), 1);
    t.equal(await found('manifest of later:v1'), 0);
    await add('n2', 'later:v1', chain);
    t.equal(await found('manifest of later:v1'), 1);
    t.match(await lookup.byDigest(digest('manifest of later:v1')), [{ sizeBytes: 700 }]);
  },
);

t.test('the directory is read once', async (t) => {
  const { add, found, directory } = await setUp(t);
  await add('n2', 'app:v1', chain);
  let reads = 0;
  const counting = directory.counting.bind(directory);
  directory.counting = () => {
    reads++;
    return counting();
  };
  await Promise.all([found('nothing'), found('manifest of app:v1')]);
  await found('nothing else');
  t.equal(reads, 1);
});

t.test('what two nodes say alike is answered once, what they say differently twice', async (t) => {
  const { add, found } = await setUp(t);
  for (const node of ['n2', 'n3']) await add(node, 'app:v1', chain);
  t.equal(await found('manifest of app:v1'), 1);
  const lie = { ...object('manifest of app:v1'), blocks: [sha('something else')] };
  await add('n4', 'app:v1', chain, { manifest: lie });
  t.equal(await found('manifest of app:v1'), 2);
});

t.test('an image that was removed is not found, under another name it is', async (t) => {
  const { add, found, directory } = await setUp(t);
  const manifest = object('shared');
  for (const name of ['app:v1', 'app:latest']) await add('n2', name, chain, { manifest });
  t.equal(await found('shared'), 1);
  await directory.removeImage('app:latest');
  t.equal(await found('shared'), 1);
  await directory.removeImage('app:v1');
  t.equal(await found('shared'), 0);
});

t.test('what comes back with the revocation of who removed it is found', async (t) => {
  const { bed, add, found, directory } = await setUp(t);
  await add('n2', 'app:v1', chain);
  const removal = { image: 'app:v1', chainIds: [], recordIds: [] };
  await directory.put(await bed.record('n3', 'removal', removal));
  t.equal(await found('manifest of app:v1'), 0);
  await directory.put(await bed.revocation(await bed.node('n3')));
  t.equal(await found('manifest of app:v1'), 1);
});

t.test('of more digests than are kept, those asked for or added last are found', async (t) => {
  const { add, found, lookup } = await setUp(t, 4);
  for (const name of ['a:1', 'b:1']) await add('n2', name, chain);
  t.equal(await found('manifest of a:1'), 1);
  t.equal(await found('config of a:1'), 1);
  await add('n2', 'c:1', chain);
  t.equal(await found('manifest of a:1'), 1, 'asked for a moment ago');
  t.equal(await found('manifest of b:1'), 0);
  lookup.touch(ref('b:1', chain));
  t.equal(await found('manifest of b:1'), 1);
});
