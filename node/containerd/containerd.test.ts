import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { chainIdOf } from '../../blocks/digest.ts';
import { ContainerdError, openContainerd } from './containerd.ts';
import { startContainerdTwin, unpacked } from './twin.ts';

function sha256(bytes: string | Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

async function socketPath(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-containerd-'));
  t.teardown(() => rm(folder, { recursive: true }));
  return join(folder, 'c.sock');
}

async function setup(t: Test, pieceBytes?: number) {
  const path = await socketPath(t);
  const twin = await startContainerdTwin(path, pieceBytes);
  const containerd = openContainerd(path);
  t.teardown(async () => {
    containerd.close();
    await twin.stop();
  });
  return { path, twin, containerd, blobs: twin.namespace('k8s.io').blobs };
}

async function errorOf(promise: Promise<unknown>): Promise<ContainerdError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof ContainerdError) return error;
    throw error;
  }
  throw new Error('did not fail');
}

const base = sha256('base tar');
const second = sha256('second tar');
const secondChain = chainIdOf(base, second);

t.test('the chainID is that of the OCI image specification', async (t) => {
  t.equal(chainIdOf('', base), base);
  t.equal(secondChain, sha256(`${base} ${second}`));
});

t.test("a layer's blob is found by its chainID", async (t) => {
  const { containerd, blobs } = await setup(t);
  blobs.set(sha256('gz1'), { bytes: Buffer.from('gz1'), labels: unpacked(base) });
  blobs.set(sha256('gz2'), { bytes: Buffer.from('gzip 2'), labels: unpacked(second) });
  blobs.set(sha256('config'), { bytes: Buffer.from('config'), labels: {} });

  t.strictSame(await containerd.content.findLayer({ namespace: 'k8s.io', chainId: base, parent: '' }, 0), {
    digest: sha256('gz1'),
    diffId: base,
    sizeBytes: 3,
  });
  const above = await containerd.content.findLayer(
    { namespace: 'k8s.io', chainId: secondChain, parent: base },
    0,
  );
  t.equal(above?.digest, sha256('gz2'));
});

t.test('a blob of another namespace, or with an odd label, is not found', async (t) => {
  const { containerd, blobs } = await setup(t);
  blobs.set(sha256('gz1'), { bytes: Buffer.from('gz1'), labels: unpacked(base) });
  blobs.set(sha256('gz3'), { bytes: Buffer.from('gz3'), labels: unpacked('sha512:00') });
  const { content } = containerd;
  t.equal(await content.findLayer({ namespace: 'default', chainId: base, parent: '' }, 0), undefined);
  t.equal(await content.findLayer({ namespace: 'k8s.io', chainId: secondChain, parent: base }, 0), undefined);
});

t.test('a label that is set a moment later is waited for', async (t) => {
  const { containerd, blobs } = await setup(t);
  const blob = { bytes: Buffer.from('gz1'), labels: {} };
  blobs.set(sha256('gz1'), blob);
  const finding = containerd.content.findLayer({ namespace: 'k8s.io', chainId: base, parent: '' }, 60_000);
  await sleep(150);
  blob.labels = unpacked(base);
  t.equal((await finding)?.digest, sha256('gz1'));
});

t.test('waiting for a label ends on abort', async (t) => {
  const { containerd } = await setup(t);
  const controller = new AbortController();
  const layer = { namespace: 'k8s.io', chainId: base, parent: '' };
  const finding = containerd.content.findLayer(layer, 60_000, controller.signal);
  setTimeout(() => controller.abort(), 50);
  await t.rejects(finding, { name: 'AbortError' });
});

t.test('a blob is read whole and in order', async (t) => {
  const { containerd, blobs } = await setup(t, 1000);
  const bytes = randomBytes(123_456);
  blobs.set(sha256(bytes), { bytes, labels: {} });
  const pieces: Uint8Array[] = [];
  for await (const piece of containerd.content.read('k8s.io', sha256(bytes))) pieces.push(piece);
  t.ok(Buffer.concat(pieces).equals(bytes));
});

t.test('a slow reader holds the sender back', async (t) => {
  const { containerd, blobs, twin } = await setup(t);
  const bytes = new Uint8Array(64 << 20);
  blobs.set(sha256('big'), { bytes, labels: {} });
  for await (const piece of containerd.content.read('k8s.io', sha256('big'))) {
    t.ok(piece.length <= 1 << 20);
    await sleep(300);
    const sentBytes = twin.piecesSent() * piece.length;
    t.ok(sentBytes <= 4 << 20, `${sentBytes} bytes sent while the first piece is held`);
    break;
  }
});

t.test('a blob that is not there is a not-found error', async (t) => {
  const { containerd } = await setup(t);
  t.equal(await containerd.content.has('k8s.io', base), false);
  const reading = (async () => {
    for await (const _ of containerd.content.read('k8s.io', base));
  })();
  t.equal((await errorOf(reading)).kind, 'not-found');
});

t.test('a lease holds the blob until released', async (t) => {
  const { containerd, twin } = await setup(t);
  const { leases } = twin.namespace('k8s.io');
  const held = await containerd.leases.hold('k8s.io', base);
  t.equal(leases.size, 1);
  const [lease] = leases.values();
  t.strictSame(lease?.resources, [{ type: 'content', id: base }]);
  t.ok(Date.parse(lease?.labels['containerd.io/gc.expire'] ?? '') > Date.now(), 'and expires by itself');
  await held.release();
  t.equal(leases.size, 0);
  await t.resolves(held.release(), 'releasing again is harmless');
});

t.test('leases of an earlier process are removed; those of others and those held now are kept', async (t) => {
  const { containerd, twin, path } = await setup(t);
  const earlier = openContainerd(path);
  await earlier.leases.hold('k8s.io', base);
  await earlier.leases.hold('default', base);
  earlier.close();
  const ours = await containerd.leases.hold('k8s.io', base);
  twin.namespace('k8s.io').leases.set('theirs', { labels: {}, resources: [] });
  t.equal(await containerd.leases.removeLeftovers(['k8s.io', 'default', 'moby']), 2);
  t.equal(twin.namespace('k8s.io').leases.size, 2);
  await ours.release();
  t.strictSame([...twin.namespace('k8s.io').leases.keys()], ['theirs']);
});

t.test('an absent containerd is one clear error, and is waited for where that is wanted', async (t) => {
  const path = await socketPath(t);
  const containerd = openContainerd(path);
  t.teardown(() => containerd.close());
  const error = await errorOf(containerd.version());
  t.equal(error.kind, 'unavailable');
  t.match(error.message, `containerd does not answer at ${path}`);

  const ready = containerd.ready();
  await sleep(100);
  const twin = await startContainerdTwin(path);
  t.teardown(() => twin.stop());
  await ready;
  t.equal(await containerd.version(), '2.1.9');
});

t.test('waiting for containerd ends on abort', async (t) => {
  const containerd = openContainerd(await socketPath(t));
  t.teardown(() => containerd.close());
  const controller = new AbortController();
  const ready = containerd.ready(controller.signal);
  setTimeout(() => controller.abort(), 50);
  await t.rejects(ready, { name: 'AbortError' });
});
