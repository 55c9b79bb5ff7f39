import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { digestOf } from '../blocks/digest.ts';
import type { BlockId } from '../blocks/types.ts';
import { logTwin } from '../peers/bed.twin.ts';
import { digest, ref, sha } from '../peers/directory/bed.twin.ts';
import type { Held, Ref, StoredObject } from '../peers/directory/types.ts';
import { storeObject } from './image-refs-object.ts';
import { startMirror } from './mirror.ts';
import { memoryBlocks } from './twins.ts';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A mirror on a node that has nothing itself: its neighbours have what `store` was given. */
async function setUp(t: Test) {
  const [here, there] = [memoryBlocks(), memoryBlocks()];
  const refs: Held<'ref'>[] = [];
  const log = logTwin();
  const wanted: BlockId[] = [];
  const serving = {
    want: async (id: BlockId, _signal?: AbortSignal): Promise<void> => {
      const bytes = await there.get(id);
      if (bytes === undefined) throw new Error('nobody has it');
      await here.put(id, bytes);
    },
  };
  const listen = `127.0.0.1:${await freePort()}`;
  const mirror = await startMirror(listen, {
    refs: (image) => refs.filter(({ content }) => content.image === image),
    digests: {
      async byDigest(wantedDigest) {
        const objects = refs.flatMap(({ content: { index, manifest, config } }) => [index, manifest, config]);
        return objects.filter((object) => object?.digest === wantedDigest) as StoredObject[];
      },
      touch() {},
    },
    blocks: here,
    want(id, priority, signal) {
      t.equal(priority, 'demand');
      wanted.push(id);
      return serving.want(id, signal);
    },
    log,
  });
  t.teardown(() => mirror.stop());
  const store = (mediaType: string, bytes: Buffer) =>
    storeObject(there, { mediaType, digest: digestOf(bytes) }, bytes);
  const add = (image: string, createdMs: number, more: Partial<Ref>) => {
    const content = { ...ref(image, []), ...more };
    const id = sha(String(refs.length));
    refs.push({ kind: 'ref', node: 'n2', signer: sha('n2'), createdMs, content, id });
  };
  const get = (path: string, init?: RequestInit) => fetch(`http://${listen}${path}`, init);
  return { here, there, refs, log, wanted, serving, listen, mirror, store, add, get };
}

async function withApp(t: Test) {
  const bed = await setUp(t);
  const [index, manifest, config] = ['index', 'manifest', 'config'].map((name) =>
    Buffer.from(`{"${name}":1}`),
  );
  const objects = {
    index: await bed.store(INDEX, index!),
    manifest: await bed.store(MANIFEST, manifest!),
    config: await bed.store(CONFIG, config!),
  };
  bed.add('registry:5000/app:v1', 10, objects);
  return { ...bed, index: index!, manifest: manifest!, config: config!, objects };
}

t.test('what a pull by tag asks for is given, fetched from neighbours', async (t) => {
  const { get, index, manifest, config, objects } = await withApp(t);
  const version = await get('/v2/');
  t.equal(version.status, 200);
  t.equal(version.headers.get('docker-distribution-api-version'), 'registry/2.0');

  const head = await get('/v2/app/manifests/v1?ns=registry%3A5000', { method: 'HEAD' });
  t.equal(head.status, 200);
  t.equal(head.headers.get('content-type'), INDEX);
  t.equal(head.headers.get('content-length'), String(index.length));
  t.equal(head.headers.get('docker-content-digest'), objects.index.digest);
  t.equal(await head.text(), '');

  for (const [path, bytes, type] of [
    [`manifests/${objects.index.digest}`, index, INDEX],
    [`manifests/${objects.manifest.digest}`, manifest, MANIFEST],
    [`blobs/${objects.config.digest}`, config, 'application/octet-stream'],
    ['manifests/v1', index, INDEX],
  ] as const) {
    const got = await get(`/v2/app/${path}?ns=registry%3A5000`);
    t.equal(got.status, 200, path);
    t.equal(got.headers.get('content-type'), type, path);
    t.equal(await got.text(), bytes.toString(), path);
  }
});

t.test('what a tag stands for is what the newest ref says; a manifest where there is no index', async (t) => {
  const { get, add, store } = await setUp(t);
  const [old, fresh] = [
    await store(MANIFEST, Buffer.from('old')),
    await store(MANIFEST, Buffer.from('fresh')),
  ];
  add('r/app:v1', 10, { manifest: old });
  add('r/app:v1', 20, { manifest: fresh });
  add('r/app:v1', 15, { manifest: old });
  t.equal(await (await get('/v2/app/manifests/v1?ns=r')).text(), 'fresh');
  t.equal(await (await get(`/v2/app/manifests/${old.digest}?ns=r`)).text(), 'old');
});

t.test("what is not known is a 404 with OCI's error, so that containerd goes on", async (t) => {
  const { get, objects } = await withApp(t);
  for (const [path, code] of [
    ['/v2/app/manifests/v2?ns=registry%3A5000', 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/v1?ns=elsewhere', 'MANIFEST_UNKNOWN'],
    [`/v2/app/manifests/${digest('?')}?ns=x`, 'MANIFEST_UNKNOWN'],
    [`/v2/app/manifests/${objects.config.digest}?ns=x`, 'MANIFEST_UNKNOWN'],
    [`/v2/app/blobs/${digest('a layer')}?ns=x`, 'BLOB_UNKNOWN'],
    ['/v2/app/tags/list?ns=x', 'NAME_UNKNOWN'],
    ['/metrics', 'NAME_UNKNOWN'],
  ] as const) {
    const got = await get(path);
    t.equal(got.status, 404, path);
    t.match(await got.json(), { errors: [{ code, message: String }] }, path);
  }
});

t.test('nothing can be written', async (t) => {
  const { get } = await withApp(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const got = await get('/v2/app/blobs/uploads/', { method });
    t.equal(got.status, 405);
    t.equal(got.headers.get('allow'), 'GET, HEAD');
  }
});

t.test('bytes that are not the object are never sent; another record may know better', async (t) => {
  const { get, add, store, wanted } = await setUp(t);
  const manifest = await store(MANIFEST, Buffer.from('the manifest'));
  const other = await store(MANIFEST, Buffer.from('another one!'));
  add('r/app:v1', 10, { manifest: { ...manifest, blocks: other.blocks } });
  const path = `/v2/app/manifests/${manifest.digest}?ns=r`;
  t.equal((await get(path)).status, 503);
  t.equal((await get(path, { method: 'HEAD' })).status, 503, 'nor promised');
  add('r/app:v2', 10, { manifest });
  t.equal(await (await get(path)).text(), 'the manifest');
  const big = { ...manifest, digest: digest('big'), sizeBytes: 5 << 20 };
  add('r/big:v1', 10, { manifest: big });
  wanted.length = 0;
  t.equal((await get('/v2/big/manifests/v1?ns=r')).status, 404);
  t.same(wanted, [], 'larger than any manifest: not fetched');
});

t.test('what nobody gives now is a 503, and a client that goes ends the wait', async (t) => {
  const { get, serving, objects } = await withApp(t);
  const { resolve, promise } = Promise.withResolvers<void>();
  const before = serving.want;
  serving.want = async () => {
    throw new Error('nobody has it');
  };
  t.equal((await get('/v2/app/manifests/v1?ns=registry:5000')).status, 503);
  serving.want = (_id, signal) =>
    new Promise((_, reject) =>
      signal?.addEventListener('abort', () => {
        reject(signal.reason);
        resolve();
      }),
    );
  const leaving = new AbortController();
  const asked = get(`/v2/app/blobs/${objects.config.digest}`, { signal: leaving.signal });
  setTimeout(() => leaving.abort(), 50);
  await t.rejects(asked);
  await promise;
  serving.want = before;
  t.equal((await get(`/v2/app/blobs/${objects.config.digest}`)).status, 200);
});

t.test('requests beyond a bound wait or are sent away, none is lost', async (t) => {
  const { serving, store, add, listen, get } = await setUp(t);
  const manifest = await store(MANIFEST, randomBytes(100));
  add('r/app:v1', 10, { manifest });
  let atOnce = 0;
  let most = 0;
  const gate = Promise.withResolvers<void>();
  const before = serving.want;
  serving.want = async (id) => {
    most = Math.max(most, ++atOnce);
    await gate.promise;
    atOnce--;
    return before(id);
  };
  const path = `/v2/app/manifests/${manifest.digest}`;
  const socket = connect(Number(listen.split(':')[1]), '127.0.0.1');
  socket.write(`HEAD ${path} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(64)); // without waiting for answers
  const others: Promise<number>[] = [];
  let isFull = false;
  while (!isFull) {
    const other = get(path).then(({ status }) => {
      isFull ||= status === 503;
      return status;
    });
    others.push(other);
    await sleep(10);
  }
  let answers = '';
  socket.on('data', (data) => {
    answers += data;
  });
  gate.resolve();
  const statuses = () => answers.match(/^HTTP\/1.1 \d+/gm) ?? [];
  while (statuses().length < 64) await once(socket, 'data');
  socket.destroy();
  t.equal(most, 8);
  const all = [...statuses().map((line) => Number(line.split(' ')[1])), ...(await Promise.all(others))];
  t.ok(all.every((status) => status === 200 || status === 503));
  t.ok(all.filter((status) => status === 200).length >= 64, 'those that had a place or waited for one');
});

t.test('a URL or headers that are too long are refused', async (t) => {
  const { get } = await withApp(t);
  t.equal((await get(`/v2/app/manifests/v1?ns=registry:5000&x=${'x'.repeat(2000)}`)).status, 404);
  t.equal((await get(`/v2/${'x'.repeat(9000)}`)).status, 431);
});

t.test('a port that is taken does not stop the node', async (t) => {
  const { listen, log } = await setUp(t);
  const second = await startMirror(listen, {
    refs: () => [],
    digests: { byDigest: async () => [], touch() {} },
    blocks: memoryBlocks(),
    want: async () => {},
    log,
  });
  t.equal(second.address(), undefined);
  t.match(log.lines, [['no mirror: cannot listen']]);
  await second.stop();
});
