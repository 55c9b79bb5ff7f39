/**
 * What a large volume costs the node process: the index of 10 GB in 100,000 blocks, read, looked through by custody, and its
 * blocks counted as in use, against a process that has just begun.
 *
 *   node --expose-gc bench/index-memory.ts [--blocks N] [--json FILE]
 */
import { hash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { IdSet } from '../blocks/id-set.ts';
import { encodeIndex, rootOf } from '../blocks/volume.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import { Survey } from '../peers/placement/custody.ts';
import { Owners } from '../peers/placement/owners.ts';
import { finish, table } from './report.ts';

const { values: options } = parseArgs({
  options: { blocks: { type: 'string', default: '100000' }, json: { type: 'string' } },
});
const BLOCK_BYTES = 100 * 1024 - ((100 * 1024) % 4096);
const blockCount = Number(options.blocks);
const MIB = 1 << 20;

/** Resident, once what is no longer used has been given back. */
async function residentMb(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await sleep(50);
  }
  return process.memoryUsage.rss() / 1e6;
}

const dir = await mkdtemp(join(tmpdir(), 'forage-index-'));
try {
  const encoded = encodeIndex(
    'erofs-tar-lz4-1',
    Array.from({ length: blockCount }, (_, i) => ({
      id: hash('sha256', String(i), 'hex'),
      sizeBytes: BLOCK_BYTES,
      metadata: i % 1000 === 0,
    })),
  );
  const root = rootOf(encoded);
  await (await openVolumeStore(dir)).put(root, encoded);
  const before = await residentMb();
  const volumes = await openVolumeStore(dir);
  const index = (await volumes.get(root))!;
  const read = await residentMb();
  const inUse = new IdSet();
  for (let i = 0; i < index.blockCount; i++) inUse.add(index.blockId(i));
  const counted = await residentMb();
  const members = ['n1', 'n2', 'n3', 'n4', 'n5'].map((name) => ({ name, capacityBytes: 1 }));
  const survey = new Survey({
    owned: Owners.of(members, 2).ownedBy('n1'),
    limits: { maxBytes: 1e12, minFreeBytes: 0, idleMs: 0, fetchBytesPerSecond: 8 * MIB },
    usedBytes: 0,
    freeBytes: 1e12,
    nowMs: 0,
    has: () => true,
    isPinned: () => false,
    isInUse: () => false,
    mayAsk: () => true,
    isAwaited: () => false,
  });
  for (let i = 0; i < index.blockCount; i++) {
    survey.held({ id: index.blockId(i), sizeBytes: BLOCK_BYTES, lastUseMs: i });
  }
  survey.living(index);
  const plan = survey.plan();
  const surveyed = await residentMb();
  const most = Math.max(read, counted, surveyed);
  console.log(
    `\n${table([
      { what: 'before', 'resident, MB': before },
      { what: `index of ${blockCount} blocks read`, 'resident, MB': read },
      { what: 'all of them counted as in use', 'resident, MB': counted },
      {
        what: `a pass of custody (${plan.pin.length} pins, ${plan.ask.length} asks planned)`,
        'resident, MB': surveyed,
      },
    ])}\n`,
  );
  finish(
    { blockCount, indexBytes: encoded.length, before, read, counted, surveyed },
    [{ what: 'more than before, MB', value: most - before, atMost: 40 }],
    options.json,
  );
} finally {
  await rm(dir, { recursive: true });
}
