import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { chainIdOf, digestOf } from '../blocks/digest.ts';
import { DirectoryBed } from '../peers/directory/bed.twin.ts';
import { openContainerd } from './containerd/containerd.ts';
import { ownPlatform } from './containerd/oci.ts';
import { type ContainerdTwin, startContainerdTwin } from './containerd/twin.ts';
import { createImageRefs } from './image-refs.ts';
import { loadObject } from './image-refs-object.ts';
import { digest, layerRecord, memoryBlocks, memoryRecords } from './twins.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const SECOND_MS = 1000;
const root = 'a'.repeat(64);

/** Puts a document into the twin's content store. */
function put(twin: ContainerdTwin, namespace: string, mediaType: string, value: object) {
  const bytes = Buffer.from(JSON.stringify(value));
  twin.namespace(namespace).blobs.set(digestOf(bytes), { bytes, labels: {} });
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

/** An image as a pull leaves it, behind an index with another platform that was not pulled. */
function putImage(twin: ContainerdTwin, name: string, diffIds: string[], namespace = 'default') {
  const config = put(twin, namespace, CONFIG, { rootfs: { type: 'layers', diff_ids: diffIds } });
  const layers = diffIds.map((diffId) => ({ digest: diffId }));
  const manifest = put(twin, namespace, MANIFEST, { config, layers });
  const other = { mediaType: MANIFEST, digest: digest('0'), platform: { os: 'linux', architecture: 'z80' } };
  const gone = { mediaType: MANIFEST, digest: digest('0'), platform: ownPlatform() };
  const manifests = [other, gone, { ...manifest, platform: ownPlatform() }];
  const index = put(twin, namespace, INDEX, { manifests });
  twin.namespace(namespace).images.set(name, { ...index, updatedAtMs: 1 });
  return { config, manifest, index };
}

async function until(done: () => boolean): Promise<void> {
  while (!done()) await sleep(5);
}

async function setUp(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-refs-'));
  const path = join(folder, 'c.sock');
  const bed = await DirectoryBed.make(t);
  const { directory, log } = await bed.directory('n1');
  const containerd = openContainerd(path);
  const [blocks, records] = [memoryBlocks(), memoryRecords()];
  const refs = createImageRefs({ containerd, blocks, directory, records, log, clock: bed.clock });
  t.teardown(async () => {
    await refs.stop();
    containerd.close();
    await rm(folder, { recursive: true });
  });
  const serve = async () => {
    const twin = await startContainerdTwin(path);
    t.teardown(() => twin.stop());
    return twin;
  };
  const has = (...chainIds: string[]) =>
    Promise.all(chainIds.map((chainId) => records.put(layerRecord(chainId, root))));
  const known = (image: string) => until(() => directory.refs(image).length > 0);
  return { bed, directory, log, blocks, refs, serve, has, known };
}

const [base, top] = [digest('1'), digest('2')];

t.test('an image whose layers all are here is told, with its objects in blocks', async (t) => {
  const { bed, directory, blocks, serve, has, known } = await setUp(t);
  const twin = await serve();
  const { index, manifest, config } = putImage(twin, 'registry:5000/app:v1', [base, top]);
  await has(base, chainIdOf(base, top));
  bed.clock.advance(0);
  await known('registry:5000/app:v1');

  const [{ content: ref } = { content: undefined }] = directory.refs('registry:5000/app:v1');
  t.same(ref?.chainIds, [base, chainIdOf(base, top)]);
  const { signal } = new AbortController();
  for (const [object, { mediaType, digest, size }] of [
    [ref!.index!, index],
    [ref!.manifest, manifest],
    [ref!.config, config],
  ] as const) {
    t.match(object, { mediaType, digest, sizeBytes: size });
    const bytes = await loadObject(object, blocks, async () => {}, signal);
    t.ok(bytes.equals(twin.namespace('default').blobs.get(digest)!.bytes));
  }
});

t.test('an image is told once its last layer is a volume and the pull is quiet', async (t) => {
  const { bed, directory, refs, serve, has, known } = await setUp(t);
  const twin = await serve();
  putImage(twin, 'app:v1', [base, top]);
  putImage(twin, 'other:v1', [base]);
  await has(base);
  bed.clock.advance(0);
  await known('other:v1');
  t.same(directory.refs('app:v1'), []);

  await has(chainIdOf(base, top));
  await until(() => bed.clock.waiting > 1); // the sweep of the directory, and the next look
  refs.look();
  bed.clock.advance(1.5 * SECOND_MS);
  refs.look();
  bed.clock.advance(1.5 * SECOND_MS);
  t.equal(twin.imageLists(), 1, 'the pull goes on');
  bed.clock.advance(SECOND_MS);
  await known('app:v1');
  t.equal(twin.imageLists(), 2);
});

t.test('a pull without an end does not hold it up for ever', async (t) => {
  const { bed, refs, serve, has, known } = await setUp(t);
  const twin = await serve();
  bed.clock.advance(0);
  await until(() => bed.clock.waiting > 1);
  putImage(twin, 'app:v1', [base]);
  await has(base);
  for (let times = 0; times < 31; times++) {
    refs.look();
    bed.clock.advance(SECOND_MS);
  }
  await known('app:v1');
  t.pass();
});

t.test('what is published is not read again, and is told again after a removal', async (t) => {
  const { bed, directory, refs, serve, has, known } = await setUp(t);
  const twin = await serve();
  putImage(twin, 'app:v1', [base]);
  await has(base);
  bed.clock.advance(0);
  await known('app:v1');
  await until(() => bed.clock.waiting > 1);
  const readBefore = twin.piecesSent();
  refs.look();
  bed.clock.advance(2 * SECOND_MS);
  await until(() => twin.imageLists() === 2 && bed.clock.waiting > 1);
  t.equal(twin.piecesSent(), readBefore);

  await directory.removeImage('app:v1');
  t.same(directory.refs('app:v1'), []);
  bed.clock.advance(2 * SECOND_MS);
  await known('app:v1');

  twin.namespace('default').images.clear();
  await until(() => bed.clock.waiting > 1);
  await directory.removeImage('app:v1');
  bed.clock.advance(2 * SECOND_MS);
  await until(() => refs.inContainerd().size === 0);
  t.same(directory.refs('app:v1'), [], 'nobody uses it any longer');
});

t.test('the names that containerd has are known, also those that are not told', async (t) => {
  const { bed, directory, refs, serve, has, known } = await setUp(t);
  const twin = await serve();
  t.equal(refs.inContainerd().size, 0);
  putImage(twin, 'a:v1', [top], 'k8s.io');
  putImage(twin, digest('c'), [base], 'k8s.io');
  putImage(twin, 'b:v1', [base]);
  await has(base);
  bed.clock.advance(0);
  await known('b:v1');
  t.same([...refs.inContainerd()].toSorted(), ['a:v1', 'b:v1', digest('c')].toSorted());
  t.same([...directory.counting()].length, 1);
});

t.test(
  'images of unknown kinds and broken ones are passed over; the broken are warned of once',
  async (t) => {
    const { bed, directory, log, refs, serve, has, known } = await setUp(t);
    const twin = await serve();
    const { images, blobs } = twin.namespace('default');
    const { manifest } = putImage(twin, 'a-broken:v1', [base]);
    blobs.set(manifest.digest, { bytes: Buffer.from('{}'), labels: {} });
    const chart = put(twin, 'default', 'application/vnd.cncf.helm.config.v1+json', {
      rootfs: { diff_ids: [base] },
    });
    const artifact = put(twin, 'default', MANIFEST, { config: chart, layers: [{}] });
    images.set('b-chart:v1', { ...artifact, updatedAtMs: 1 });
    images.set('c-odd:v1', { mediaType: 'text/plain', digest: digest('9'), updatedAtMs: 1 });
    const large = 'x'.repeat(5 << 20);
    const huge = put(twin, 'default', MANIFEST, { large });
    images.set('d-huge:v1', { ...huge, updatedAtMs: 1 });
    const few = put(twin, 'default', CONFIG, { rootfs: { diff_ids: [base] } });
    const fewer = put(twin, 'default', MANIFEST, { config: few, layers: [] });
    images.set('e-fewer:v1', { ...fewer, updatedAtMs: 1 });
    putImage(twin, 'z:v1', [base, top]);
    await has(base, chainIdOf(base, top));
    bed.clock.advance(0);
    await known('z:v1');
    t.equal([...directory.counting()].length, 1);
    await until(() => bed.clock.waiting > 1);
    refs.look();
    bed.clock.advance(2 * SECOND_MS);
    await until(() => twin.imageLists() === 2 && bed.clock.waiting > 1);
    const warned = log.lines.map(([, { image }]) => image);
    t.same(warned, ['a-broken:v1', 'd-huge:v1', 'e-fewer:v1']);
  },
);

t.test('a containerd that is away is waited for', async (t) => {
  const { bed, log, serve, has, known } = await setUp(t);
  await has(base);
  bed.clock.advance(0);
  await sleep(50);
  putImage(await serve(), 'app:v1', [base]);
  await until(() => {
    bed.clock.advance(10 * SECOND_MS); // the twin has its images a moment after it listens
    return bed.clock.waiting > 1;
  });
  await known('app:v1');
  t.same(log.lines, []);
});

t.test('stopping ends a look that waits for containerd', async (t) => {
  const { bed, refs } = await setUp(t);
  bed.clock.advance(0);
  await refs.stop();
  refs.look();
  t.equal(bed.clock.waiting, 1, 'the sweep of the directory is all that is to come');
});
