import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { digestOf } from '../../blocks/digest.ts';
import { openContainerd } from './containerd.ts';
import { startContainerdTwin, unpacked } from './twin.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const digest = digestOf(Buffer.from('an index'));

async function setUp(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-images-'));
  const path = join(folder, 'c.sock');
  const twin = await startContainerdTwin(path, 1000);
  const containerd = openContainerd(path);
  t.teardown(async () => {
    containerd.close();
    await twin.stop();
    await rm(folder, { recursive: true });
  });
  return { twin, containerd };
}

t.test('the images of each namespace are listed apart, all or those that a filter names', async (t) => {
  const { twin, containerd } = await setUp(t);
  const image = { mediaType: INDEX, digest, updatedAtMs: 1_700_000_000_123 };
  twin.namespace('default').images.set('registry:5000/a:v1', image).set('registry:5000/b:v1', image);
  twin.namespace('k8s.io').images.set('docker.io/library/nginx:latest', image);
  t.same((await containerd.namespaces.list()).toSorted(), ['default', 'k8s.io']);
  t.same(await containerd.images.list('k8s.io'), [
    {
      name: 'docker.io/library/nginx:latest',
      target: { mediaType: INDEX, digest },
      updatedAtMs: 1_700_000_000_123,
    },
  ]);
  const some = await containerd.images.list('default', ['name==registry:5000/b:v1']);
  t.same(
    some.map(({ name }) => name),
    ['registry:5000/b:v1'],
  );
});

t.test('an image whose target has no sha256 digest is left out', async (t) => {
  const { twin, containerd } = await setUp(t);
  const odd = { mediaType: INDEX, digest: 'sha512:00', updatedAtMs: 0 };
  twin.namespace('default').images.set('odd:1', odd);
  t.same(await containerd.images.list('default'), []);
});

t.test('a small blob is read whole; one that is too large or of another digest is refused', async (t) => {
  const { twin, containerd } = await setUp(t);
  const { blobs } = twin.namespace('default');
  const bytes = Buffer.alloc(2500, 'x');
  blobs.set(digestOf(bytes), { bytes, labels: {} });
  blobs.set(digest, { bytes: Buffer.from('not it'), labels: {} });
  const read = (what: string, maxBytes: number) => containerd.content.readSmall('default', what, maxBytes);
  t.ok((await read(digestOf(bytes), 2500)).equals(bytes));
  await t.rejects(read(digestOf(bytes), 2499), { name: 'UnfitBlobError', message: /2500 bytes/ });
  await t.rejects(read(digest, 2500), { name: 'UnfitBlobError' });
  await t.rejects(read(digestOf(Buffer.from('?')), 2500), {
    name: 'ContainerdError',
    message: /not found/,
  });
});

t.test('a blob is deleted in one namespace only, once or twice', async (t) => {
  const { twin, containerd } = await setUp(t);
  const blob = { bytes: Buffer.from('x'), labels: {} };
  for (const name of ['default', 'k8s.io']) twin.namespace(name).blobs.set(digest, blob);
  await containerd.content.delete('default', digest);
  await containerd.content.delete('default', digest);
  t.equal(await containerd.content.has('default', digest), false);
  t.equal(await containerd.content.has('k8s.io', digest), true);
});

t.test('blobs of unpacked layers are listed, and those that any lease holds', async (t) => {
  const { twin, containerd } = await setUp(t);
  const { blobs, leases } = twin.namespace('default');
  blobs.set(digest, { bytes: Buffer.from('layer'), labels: unpacked(digest) });
  blobs.set(digestOf(Buffer.from('config')), { bytes: Buffer.from('config'), labels: {} });
  t.same(await containerd.content.listLayers('default'), [{ digest, diffId: digest, sizeBytes: 5 }]);
  t.equal((await containerd.leases.heldBlobs('default')).size, 0);
  const resources = [
    { type: 'content', id: digest },
    { type: 'snapshots/forage', id: 'a' },
  ];
  leases.set('a pull', { labels: {}, resources });
  t.same([...(await containerd.leases.heldBlobs('default'))], [digest]);
});
