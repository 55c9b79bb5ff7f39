import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { holdBlob } from './blobs.ts';
import { openContainerd } from './containerd.ts';
import { startContainerdTwin, unpacked } from './twin.ts';

function sha256(bytes: string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const diffId = sha256('tar');
const digest = sha256('compressed');
const layer = { namespace: 'default', chainId: diffId, parent: '' };

async function open(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-blobs-'));
  const path = join(folder, 'c.sock');
  const containerd = openContainerd(path);
  t.teardown(async () => {
    containerd.close();
    await rm(folder, { recursive: true });
  });
  return { path, containerd };
}

t.test("a committed layer's blob is held while it is read", async (t) => {
  const { path, containerd } = await open(t);
  const twin = await startContainerdTwin(path);
  t.teardown(() => twin.stop());
  const { blobs, leases } = twin.namespace('default');
  blobs.set(digest, { bytes: Buffer.from('compressed'), labels: unpacked(diffId) });

  const { signal } = new AbortController();
  const held = await holdBlob(containerd, layer, signal);
  t.match(held, { digest, diffId, sizeBytes: 10 });
  t.equal(leases.size, 1);
  const pieces: Uint8Array[] = [];
  for await (const piece of held!.read(signal)) pieces.push(piece);
  t.equal(Buffer.concat(pieces).toString(), 'compressed');
  await held!.release();
  t.equal(leases.size, 0);
});

t.test('a blob that is dropped before the lease is made is not held, and no lease is left', async (t) => {
  const { path, containerd } = await open(t);
  const twin = await startContainerdTwin(path);
  t.teardown(() => twin.stop());
  twin.namespace('default').blobs.set(digest, { bytes: Buffer.from('x'), labels: unpacked(diffId) });
  const late: typeof containerd = {
    ...containerd,
    leases: {
      ...containerd.leases,
      hold: (...args) => {
        twin.namespace('default').blobs.clear();
        return containerd.leases.hold(...args);
      },
    },
  };
  t.equal(await holdBlob(late, layer, new AbortController().signal), undefined);
  t.equal(twin.namespace('default').leases.size, 0);
});

t.test('while containerd is away, the layer waits for it', async (t) => {
  const { path, containerd } = await open(t);
  const holding = holdBlob(containerd, layer, new AbortController().signal);
  setTimeout(async () => {
    const twin = await startContainerdTwin(path);
    t.teardown(() => twin.stop());
    twin.namespace('default').blobs.set(digest, { bytes: Buffer.from('x'), labels: unpacked(diffId) });
  }, 100);
  t.equal((await holding)?.digest, digest);
});

t.test('a blob is read on when a containerd that was restarted is back', async (t) => {
  const { path, containerd } = await open(t);
  const bytes = randomBytes(100_000);
  const serve = async () => {
    const twin = await startContainerdTwin(path, 1000);
    twin.namespace('default').blobs.set(digest, { bytes, labels: unpacked(diffId) });
    return twin;
  };
  const first = await serve();
  const { signal } = new AbortController();
  const held = await holdBlob(containerd, layer, signal);
  const pieces: Uint8Array[] = [];
  for await (const piece of held!.read(signal)) {
    if (pieces.push(piece) !== 10) continue;
    await first.stop();
    const second = await serve();
    t.teardown(() => second.stop());
  }
  t.ok(Buffer.concat(pieces).equals(bytes));
});

t.test('the wait ends on abort', async (t) => {
  const { containerd } = await open(t);
  const controller = new AbortController();
  const holding = holdBlob(containerd, layer, controller.signal);
  setTimeout(() => controller.abort(), 50);
  await t.rejects(holding, { name: 'AbortError' });
});
