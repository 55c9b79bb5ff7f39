import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import t, { type Test } from 'tap';
import { type IngestJob, ingestLayer } from './ingest.ts';
import { openBlockStore } from './store.ts';
import type { TarRecord } from './tar-write.ts';
import {
  assemble,
  collect,
  listTree,
  mkfsProgram,
  mountImage,
  noise,
  scratch,
  seededPick,
  setXattr,
  tarOf,
} from './testing.ts';
import { openVolumeStore } from './volumes.ts';

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const diffIdOf = (tar: Buffer) => `sha256:${createHash('sha256').update(tar).digest('hex')}`;

/** A node's stores, and what makes volumes in them. */
async function node(t: Test) {
  const dir = scratch(t);
  const blocks = await openBlockStore(join(dir, 'blocks'));
  const volumes = await openVolumeStore(join(dir, 'volumes'));
  async function ingest(tar: Buffer | null, job: Partial<IngestJob> = {}, blob = tar) {
    const workDir = await mkdtemp(join(dir, 'work-'));
    const diffId = tar ? diffIdOf(tar) : '';
    const whole: IngestJob = {
      ...{
        of: 'layer',
        chainId: 'sha256:c',
        parent: '',
        diffId,
        directory: '/nonexistent',
        lowers: [],
        compression: 'lz4',
      },
      ...{ workDir, mkfs: mkfsProgram() },
      ...job,
    };
    return ingestLayer(whole, blob && once(blob), { blocks, volumes });
  }
  async function mounted(root: string): Promise<string> {
    return mountImage(t, await assemble(dir, (await volumes.get(root))!, blocks));
  }
  return { dir, blocks, volumes, ingest, mounted };
}

/** A directory with all that a layer may hold but device nodes. */
function fillDirectory(dir: string, pick: (limit: number) => number): void {
  const folders = [dir];
  for (let i = 0; i < 150; i++) {
    const path = join(folders[pick(folders.length)]!, `${i}-${'näme '.repeat(pick(20))}`);
    const kind = pick(6);
    if (kind === 0) {
      mkdirSync(path);
      folders.push(path);
    } else if (kind === 1) {
      symlinkSync('x'.repeat(1 + pick(200)), path);
    } else {
      writeFileSync(path, noise(pick(5) === 0 ? pick(700_000) : pick(9000), i));
      if (kind === 2) truncateSync(path, pick(2_000_000));
      if (kind === 3) linkSync(path, join(dir, `link-${i}`));
    }
    if (kind !== 1) {
      if (pick(4) === 0) setXattr(path, 'user.test', noise(pick(300), i));
      chownSync(path, pick(3_000_000), pick(5));
      chmodSync(path, pick(0o10000));
    }
  }
  // Times last: whatever is made in a directory sets them again.
  const all = readdirSync(dir, { recursive: true }) as string[];
  for (const path of all) lutimesSync(join(dir, path), 1, pick(2 ** 30) + pick(1000) / 1000);
}

/** All but the root's own attributes, which no layer decides. */
function belowRoot(dir: string): Record<string, unknown> {
  const { '': _root, ...entries } = listTree(dir);
  return entries;
}

for (const options of [
  ['--format=pax', '-S'],
  ['--format=gnu'],
  ['--format=pax', '-S', '--sparse-version=0.1'],
]) {
  t.test(`the volume of a tar is the tree that tar unpacks, ${options.join(' ')}`, async (t) => {
    const pick = seededPick(t);
    const { dir, ingest, mounted } = await node(t);
    const source = join(dir, 'source');
    mkdirSync(source);
    fillDirectory(source, pick);
    const tarOptions = [...options, '--xattrs', '--numeric-owner', '-C', source, '-c', '.'];
    const tar = execFileSync('tar', tarOptions, { maxBuffer: 2 ** 28 });
    const unpacked = join(dir, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['--xattrs', '--numeric-owner', '-C', unpacked, '-xp'], { input: tar });
    const { root, origin, sizeBytes } = await ingest(tar);
    t.equal(origin, 'ingested');
    t.strictSame(belowRoot(await mounted(root)), belowRoot(unpacked));
    t.ok(sizeBytes > 0);
  });
}

const FILE = noise(400_000);
const layer: Array<TarRecord & { data?: Buffer }> = [
  { type: '5', name: 'etc', mode: 0o755 },
  { type: '0', name: 'etc/a', mode: 0o644, data: FILE },
  {
    type: '0',
    name: 'implied/b',
    mode: 0o600,
    data: noise(100_000, 2),
    modified: { seconds: 1e9, nanoseconds: 5 },
  },
  { type: '1', name: 'c', linkName: 'etc/a', mode: 0o644 },
  { type: '0', name: 'etc/.wh.gone' },
  { type: '3', name: 'dev', mode: 0o620, device: { major: 4, minor: 700 } },
];

t.test('gzip, zstd and plain blobs of one tar, in all numbers of parts, give one root', async (t) => {
  const { ingest } = await node(t);
  const tar = await collect(tarOf(layer));
  const half = Math.floor(tar.length / 2);
  const blobs = {
    plain: tar,
    gzip: gzipSync(tar),
    zstd: zstdCompressSync(tar),
    'gzip of two members': Buffer.concat([gzipSync(tar.subarray(0, half)), gzipSync(tar.subarray(half))]),
    'zstd of two frames': Buffer.concat([
      zstdCompressSync(tar.subarray(0, half)),
      zstdCompressSync(tar.subarray(half)),
    ]),
  };
  const roots = new Set<string>();
  for (const [name, blob] of Object.entries(blobs)) {
    const { root, origin } = await ingest(tar, {}, blob);
    t.equal(origin, 'ingested', name);
    roots.add(root);
  }
  t.equal(roots.size, 1);
});

t.test('what unpacks to one tree has one root, in whatever order the archive has it', async (t) => {
  const { ingest } = await node(t);
  const parent: TarRecord = {
    type: '5',
    name: 'implied',
    mode: 0o755,
    modified: { seconds: 1e9, nanoseconds: 5 },
  };
  const [dir, file, other, link, whiteout, device] = layer as [TarRecord, ...TarRecord[]];
  const orders = [layer, [other, device, dir, file, whiteout, link], [parent, ...layer], [file, ...layer]];
  const roots = new Set<string>();
  for (const order of orders) {
    const tar = await collect(tarOf(order as typeof layer));
    roots.add((await ingest(tar, { parent: 'sha256:p' })).root);
  }
  t.equal(roots.size, 1);
});

t.test(
  'another chainID or another compression gives another root; most blocks are shared between chainIDs',
  async (t) => {
    const { ingest } = await node(t);
    const tar = await collect(tarOf(layer));
    const first = await ingest(tar);
    const again = await ingest(tar);
    t.match(again, { root: first.root, newBlocks: 0, newBytes: 0 });
    const other = await ingest(tar, { chainId: 'sha256:d' });
    t.not(other.root, first.root);
    t.equal(other.newBlocks, 1, 'the superblock');
    for (const compression of ['none', 'lz4hc', 'zstd'] as const) {
      const { root, format } = await ingest(tar, { compression });
      t.not(root, first.root);
      t.equal(format, `erofs-tar-${compression}-1`);
    }
  },
);

t.test('a blob that is not what its diffID says is not ingested, and nothing is stored', async (t) => {
  const { blocks, volumes, ingest } = await node(t);
  const tar = await collect(tarOf(layer));
  const other = Buffer.from(tar);
  other[1000]! ^= 1;
  const blobs = [
    other,
    gzipSync(other),
    Buffer.concat([tar, Buffer.alloc(512)]),
    Buffer.from('nonsense'),
    Buffer.alloc(0),
  ];
  for (const blob of blobs) await t.rejects(ingest(tar, {}, blob), { name: 'DiffIdMismatchError' });
  const cutOff = gzipSync(tar).subarray(0, -100);
  await t.rejects(ingest(tar, {}, cutOff));
  t.same(blocks.stats(), { count: 0, bytes: 0 });
  t.same([...volumes.roots()], []);
});

t.test(
  'a tar that we cannot do, and no tar, fall back on the unpacked directory, under a format of its own',
  async (t) => {
    const { dir, ingest, mounted } = await node(t);
    const directory = join(dir, 'unpacked');
    mkdirSync(directory);
    fillDirectory(directory, seededPick(t));
    const tar = await collect(tarOf([{ type: '1', name: 'a', linkName: 'in-a-lower-layer' }]));
    const fallen = await ingest(tar, { directory });
    t.match(fallen, { origin: 'walked', format: 'erofs-walk-lz4-1', walkedBecause: /hard link/ });
    t.equal(fallen.diffId, diffIdOf(tar));
    const walked = await ingest(null, { directory });
    t.equal(walked.root, fallen.root);
    t.strictSame(belowRoot(await mounted(walked.root)), belowRoot(directory));
  },
);

t.test(
  "a walked directory keeps whiteouts and opaque marks, and loses overlay's private xattrs",
  async (t) => {
    const { dir, ingest, mounted } = await node(t);
    const directory = join(dir, 'unpacked');
    mkdirSync(join(directory, 'opaque'), { recursive: true });
    setXattr(join(directory, 'opaque'), 'trusted.overlay.opaque', Buffer.from('y'));
    for (const name of ['impure', 'origin', 'nlink'])
      setXattr(directory, `trusted.overlay.${name}`, Buffer.from('y'));
    setXattr(join(directory, 'opaque'), 'trusted.overlay.origin', Buffer.from('y'));
    execFileSync('mknod', [join(directory, 'whiteout'), 'c', '0', '0']);
    execFileSync('mknod', [join(directory, 'disk'), 'b', '259', '70000']);
    const copy = join(dir, 'copy');
    cpSync(join(directory, 'opaque'), join(copy, 'opaque'), { recursive: true });
    const { root } = await ingest(null, { directory });
    const tree = listTree(await mounted(root)) as Record<string, { xattrs: string[]; device?: number }>;
    t.same(tree['']!.xattrs, []);
    t.same(tree['/opaque']!.xattrs, ['trusted.overlay.opaque=79']);
    t.equal(tree['/whiteout']!.device, 0);
    t.strictSame(tree['/disk'], (listTree(directory) as typeof tree)['/disk']);
  },
);

t.test(
  'a directory unpacked twice, at different times and in different order, walks to one root',
  async (t) => {
    const { dir, ingest } = await node(t);
    const roots = new Set<string>();
    for (const names of [
      ['a', 'b', 'c'],
      ['c', 'a', 'b'],
    ]) {
      const directory = join(dir, names.join(''));
      mkdirSync(directory);
      for (const name of names) {
        writeFileSync(join(directory, name), name);
        for (const key of names) setXattr(join(directory, name), `user.${key}`, Buffer.from(key));
        lutimesSync(join(directory, name), 5, 5);
      }
      roots.add((await ingest(null, { directory })).root);
    }
    t.equal(roots.size, 1);
  },
);

t.test("parents that the tar lacks have the lower layer's attributes", async (t) => {
  const { dir, ingest, mounted } = await node(t);
  const lower = join(dir, 'lower');
  mkdirSync(join(lower, 'implied'), { recursive: true });
  chownSync(join(lower, 'implied'), 12, 34);
  chmodSync(join(lower, 'implied'), 0o1733);
  const tar = await collect(tarOf(layer));
  const { root } = await ingest(tar, { parent: 'sha256:p', lowers: [lower] });
  const tree = listTree(await mounted(root));
  t.match(tree['/implied'], { mode: '41733', owner: '12:34' });
  t.match(tree['/etc/gone'], { mode: '20000', device: 0 });
});

t.test('the failure of mkfs.erofs is told in its own words, and nothing is published', async (t) => {
  const { volumes, ingest } = await node(t);
  const tar = await collect(tarOf(layer));
  await t.rejects(ingest(tar, { mkfs: 'false' }), /mkfs.erofs ended with 1/);
  await t.rejects(ingest(tar, { mkfs: '/nonexistent/mkfs' }), { code: 'ENOENT' });
  t.same([...volumes.roots()], []);
});
