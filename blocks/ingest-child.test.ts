import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type ChildJob, runIngest, sweepIngests } from './ingest-child.ts';
import { openBlockStore } from './store.ts';
import { collect, mkfsProgram, noise, scratch, tarOf } from './testing.ts';
import { openVolumeStore } from './volumes.ts';

const tar = await collect(tarOf([{ type: '0', name: 'a', data: noise(3_000_000) }]));
const diffId = `sha256:${createHash('sha256').update(tar).digest('hex')}`;

function jobIn(t: Test): ChildJob {
  const dir = scratch(t);
  return {
    of: 'layer',
    chainId: diffId,
    parent: '',
    diffId,
    directory: '/nonexistent',
    lowers: [],
    compression: 'lz4',
    mkfs: mkfsProgram(),
    blocksDir: join(dir, 'blocks'),
    volumesDir: join(dir, 'volumes'),
    tempDir: join(dir, 'tmp'),
  };
}

async function* inPieces(bytes: Buffer, pieceBytes = 100_000): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

/** Whatever is stored is whole, and there is no volume without all of its blocks. */
async function checkStores(t: Test, { blocksDir, volumesDir }: ChildJob): Promise<number> {
  const blocks = await openBlockStore(blocksDir, { onCorrupt: (error) => t.fail(error.message) });
  const volumes = await openVolumeStore(volumesDir, { onCorrupt: (root) => t.fail(root) });
  for (const id of blocks.ids()) await blocks.get(id);
  let count = 0;
  for (const root of volumes.roots()) {
    const index = (await volumes.get(root))!;
    for (let i = 0; i < index.blockCount; i++) t.ok(blocks.has(index.blockId(i)));
    count++;
  }
  return count;
}

t.test('the child makes the volume; what it has put is told, and its work folder goes', async (t) => {
  const job = jobIn(t);
  const blocks = await openBlockStore(job.blocksDir);
  const result = await runIngest(job, inPieces(tar));
  t.match(result, { origin: 'ingested', diffId });
  blocks.note(result.newBlocks, result.newBytes);
  t.same(blocks.stats(), (await openBlockStore(job.blocksDir)).stats());
  t.same(readdirSync(job.tempDir), []);
  t.equal(await checkStores(t, job), 1);
});

t.test('a directory needs no blob', async (t) => {
  const job = { ...jobIn(t), diffId: '' as const, directory: scratch(t) };
  t.match(await runIngest(job, null), { origin: 'walked' });
});

t.test("the child's error comes back under its name", async (t) => {
  const other = Buffer.from(tar);
  other[5000]! ^= 1;
  await t.rejects(runIngest(jobIn(t), inPieces(other)), { name: 'DiffIdMismatchError' });
  await t.rejects(runIngest({ ...jobIn(t), mkfs: '/nonexistent/mkfs' }, inPieces(tar)), /ENOENT/);
});

t.test('a blob that breaks off is an error with its cause, never a short layer', async (t) => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield tar.subarray(0, 1_000_000);
    throw new Error('the content store went away');
  }
  const job = jobIn(t);
  await t.rejects(runIngest(job, broken()), /content store went away/);
  t.same(readdirSync(job.tempDir), []);
});

t.test('aborted at any moment, it leaves whole blocks and no work folder', async (t) => {
  const job = jobIn(t);
  for (const delayMs of [1, 60, 120, 180, 240, 300, 400]) {
    const signal = AbortSignal.timeout(delayMs);
    await runIngest(job, inPieces(tar), { signal }).catch((error: Error) =>
      t.equal(error.name, 'AbortError'),
    );
    t.same(readdirSync(job.tempDir), []);
    await checkStores(t, job);
  }
});

t.test(
  'when the node dies, the child ends without a volume, and the next start sweeps its folder',
  async (t) => {
    const job = jobIn(t);
    mkdirSync(job.tempDir, { recursive: true });
    const script = `
    import { runIngest } from ${JSON.stringify(new URL('ingest-child.ts', import.meta.url).href)};
    async function* stalls() { yield Buffer.alloc(1000); await new Promise((done) => setTimeout(done, 60_000)); }
    await runIngest(JSON.parse(process.argv[1]), stalls());`;
    const node = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify(job)], {
      stdio: 'ignore',
    });
    let child: string | undefined;
    while (child === undefined || !blobIn(job.tempDir)) {
      await sleep(20);
      child = readFileSync(`/proc/${node.pid}/task/${node.pid}/children`, 'utf8').split(' ')[0] || undefined;
    }
    node.kill('SIGKILL');
    while (isAlive(child)) await sleep(20);
    t.equal(readdirSync(job.tempDir).length, 1);
    await sweepIngests(job.tempDir);
    t.same(readdirSync(job.tempDir), []);
    t.equal(await checkStores(t, job), 0);
  },
);

/** A process that has ended has no command line any more, also while nobody has waited for it. */
function isAlive(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length > 0;
  } catch {
    return false;
  }
}

function blobIn(tempDir: string): boolean {
  return readdirSync(tempDir).some((name) => existsSync(join(tempDir, name, 'blob')));
}
