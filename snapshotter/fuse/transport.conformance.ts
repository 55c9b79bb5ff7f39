/**
 * What every transport must do, whatever brings the requests. The transport runs in the test's own process, so the mount
 * is only touched by other processes or by asynchronous calls: a blocking call would wait for itself.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Test } from 'tap';
import t from 'tap';
import { MS_RDONLY, mount, unmount } from '../../blocks/libc.ts';
import { PAGE_BYTES } from '../../blocks/types.ts';
import {
  erofsImage,
  scratch,
  start,
  TestFeeder,
  TestLog,
  TestStore,
  type TestVolume,
  until,
} from './testkit.ts';
import type { Transport } from './types.ts';
import { VolumeFiles } from './volume-files.ts';
import { WaitingReads } from './waiting-reads.ts';

export interface Parts {
  mountPoint: string;
  files: VolumeFiles;
  waiting: WaitingReads;
  log: TestLog;
}

/** Mounts and returns a transport that is not serving yet. */
export type MakeTransport = (t: Test, parts: Parts) => Transport;

const WAIT_MS = 60_000;

class Server {
  readonly dir: string;
  readonly point: string;
  readonly store: TestStore;
  readonly feeder: TestFeeder;
  readonly log = new TestLog();
  readonly files: VolumeFiles;
  readonly waiting: WaitingReads;
  readonly serving: Promise<unknown>;

  constructor(t: Test, make: MakeTransport, waitMs: number) {
    this.dir = scratch(t);
    this.point = join(this.dir, 'run');
    mkdirSync(this.point);
    this.store = new TestStore(this.dir);
    this.feeder = new TestFeeder(this.store);
    this.files = new VolumeFiles({ ...this.store, log: this.log });
    this.waiting = new WaitingReads(this.feeder, waitMs);
    const transport = make(t, { mountPoint: this.point, ...this });
    this.serving = transport.serve();
    t.teardown(async () => {
      this.feeder.deliverAll();
      transport.stop();
      await this.serving;
    });
  }

  volume(pages: number, maxBlockPages?: number): TestVolume {
    const volume = this.store.add(randomBytes(pages * PAGE_BYTES), maxBlockPages);
    this.feeder.knows(volume);
    return volume;
  }

  path(volume: TestVolume): string {
    return join(this.point, volume.root);
  }
}

export function transportConformance(name: string, make: MakeTransport): void {
  const test = (what: string, body: (t: Test, server: Server) => Promise<void>, waitMs = WAIT_MS) =>
    t.test(`${name}: ${what}`, async (t) => {
      const server = new Server(t, make, waitMs);
      // A transport that mounts by itself takes a moment.
      await until(
        () => readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${server.point} `),
        'mounted',
      );
      await body(t, server);
    });

  test('the folder lists every volume, each a read-only file of its size', async (t, server) => {
    const volumes = [server.volume(3), server.volume(900), server.volume(1)];
    t.same((await readdir(server.point)).sort(), volumes.map((v) => v.root).sort());
    for (const volume of volumes) {
      const { size, mode } = await stat(server.path(volume));
      t.same([size, mode], [volume.bytes.length, 0o100400]);
    }
    await t.rejects(open(server.path(volumes[0]!), 'r+'), { code: 'EROFS' });
  });

  test('a long listing is whole', async (t, server) => {
    const roots = Array.from({ length: 300 }, () => server.volume(1).root);
    t.same((await readdir(server.point)).sort(), roots.sort());
  });

  test('a name that is no volume is not found, until the volume comes', async (t, server) => {
    const missing = 'ab'.repeat(32);
    for (const name of ['nothing', missing, '..data']) {
      await t.rejects(stat(join(server.point, name)), { code: 'ENOENT' });
    }
    t.equal((await stat(server.path(server.volume(1)))).size, PAGE_BYTES);
  });

  test('a volume that comes after it was looked for is found', async (t, server) => {
    const elsewhere = new TestStore(join(server.dir, 'elsewhere'));
    const volume = elsewhere.add(randomBytes(PAGE_BYTES));
    await t.rejects(stat(server.path(volume)), { code: 'ENOENT' });
    server.store.add(volume.bytes);
    t.equal((await stat(server.path(volume))).size, PAGE_BYTES);
  });

  test('whole files read back to the byte', async (t, server) => {
    for (const pages of [1, 2, 1000]) {
      const volume = server.volume(pages);
      t.ok((await readFile(server.path(volume))).equals(volume.bytes), `${pages} pages`);
    }
  });

  test('parts read back to the byte, also over the borders of blocks and the end', async (t, server) => {
    const volume = server.volume(700, 5);
    const file = await open(server.path(volume), 'r');
    t.teardown(() => file.close());
    for (let i = 0; i < 300; i++) {
      const offset = randomInt(volume.bytes.length);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(randomInt(1, 200_000)), {
        position: offset,
      });
      const expected = volume.bytes.subarray(offset, offset + buffer.length);
      if (!buffer.subarray(0, bytesRead).equals(expected)) t.fail(`${bytesRead} bytes at ${offset}`);
    }
    t.equal((await file.read(Buffer.alloc(10), { position: volume.bytes.length })).bytesRead, 0);
  });

  test('readers side by side get each their own bytes', async (t, server) => {
    const volumes = Array.from({ length: 8 }, () => server.volume(400));
    const all = await Promise.all([...volumes, ...volumes].map((volume) => readFile(server.path(volume))));
    all.forEach((bytes, i) => {
      t.ok(bytes.equals(volumes[i % 8]!.bytes));
    });
  });

  test('missing blocks are asked for together, once each, and the read goes on when all are here', async (t, server) => {
    const volume = server.volume(32, 4);
    for (const { id } of volume.blocks) server.store.removeBlock(id);
    server.feeder.open = false;
    const whole = [`if=${server.path(volume)}`, 'bs=128k', 'count=1', 'of=/dev/null', 'status=none'];
    const readers = [1, 2, 3].map(() => start(t, 'dd', whole));
    await until(() => server.feeder.waiting === volume.blocks.length, 'all are asked for');
    server.feeder.deliverAll();
    for (const reader of readers) t.equal((await reader.ended).code, 0);
    t.ok((await readFile(server.path(volume))).equals(volume.bytes));
    t.equal(server.feeder.asked.length, volume.blocks.length);
  });

  test('reads that wait do not hold up reads of blocks that are here', async (t, server) => {
    const [far, near] = [server.volume(64, 1), server.volume(64, 1)];
    for (const { id } of far.blocks) server.store.removeBlock(id);
    server.feeder.open = false;
    const reader = start(t, 'sha256sum', [server.path(far)]);
    await until(() => server.feeder.waiting > 0, 'it waits');
    t.ok((await readFile(server.path(near))).equals(near.bytes));
    server.feeder.open = true;
    server.feeder.deliverAll();
    t.equal((await reader.ended).code, 0);
  });

  test('a block that nobody has fails the read, and only that', async (t, server) => {
    const volume = server.volume(512, 8);
    const lost = server.store.add(randomBytes(4 * PAGE_BYTES));
    for (const { id } of lost.blocks) server.store.removeBlock(id);
    await t.rejects(readFile(server.path(lost)), { code: 'EIO' });
    t.ok(server.log.lines.some((line) => line.startsWith('error') && line.includes(lost.root)));
    t.ok((await readFile(server.path(volume))).equals(volume.bytes));
    server.feeder.knows(lost);
    t.ok((await readFile(server.path(lost))).equals(lost.bytes), 'a later read tries again');
  });

  test(
    'a wait ends with an error after its bound',
    async (t, server) => {
      const volume = server.volume(2);
      for (const { id } of volume.blocks) server.store.removeBlock(id);
      server.feeder.open = false;
      await t.rejects(readFile(server.path(volume)), { code: 'EIO' });
      t.match(server.log.lines.join(), /nobody gave [0-9a-f]{64}.* within 0.3 s/);
      t.equal(server.feeder.waiting, 0, 'the request is withdrawn');
    },
    300,
  );

  const damages: [string, (bytes: Buffer) => Buffer][] = [
    ['with a flipped bit', (bytes) => Buffer.from(bytes.map((byte, i) => (i === 77 ? byte ^ 4 : byte)))],
    ['that was cut short', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['that is empty', () => Buffer.alloc(0)],
    ['with a tail', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  ];
  for (const [damage, spoil] of damages) {
    test(`a block ${damage} is never delivered: it goes and is brought again`, async (t, server) => {
      const volume = server.volume(100, 9);
      const { id } = volume.blocks[3]!;
      server.store.putBlock(id, spoil(readFileSync(server.store.path(id))));
      t.ok((await readFile(server.path(volume))).equals(volume.bytes));
      t.same(server.feeder.asked, [id]);
      t.match(server.log.lines.join(), new RegExp(`warning block ${id} is corrupt`));
    });
  }

  test('a killed reader ends at once; another reader of the same bytes gets them', async (t, server) => {
    const volume = server.volume(8);
    for (const { id } of volume.blocks) server.store.removeBlock(id);
    server.feeder.open = false;
    const [victim, other] = [1, 2].map(() => start(t, 'cat', [server.path(volume)]));
    await until(() => server.feeder.waiting > 0, 'they wait');
    victim!.process.kill('SIGKILL');
    t.equal((await victim!.ended).signal, 'SIGKILL');
    server.feeder.open = true;
    server.feeder.deliverAll();
    t.equal((await other!.ended).code, 0);
    t.ok((await readFile(server.path(volume))).equals(volume.bytes));
  });

  test('an EROFS image mounts from its file, and its tree is right', async (t, server) => {
    const tree = join(server.dir, 'tree');
    mkdirSync(tree);
    cpSync(import.meta.dirname, join(tree, 'sources'), { recursive: true });
    writeFileSync(join(tree, 'large'), randomBytes(5_000_000));
    const volume = server.store.add(erofsImage(server.dir, tree, ['-zlz4']));
    server.feeder.knows(volume);
    for (const { id } of volume.blocks.slice(5)) server.store.removeBlock(id);
    const mounted = join(server.dir, 'mounted');
    mkdirSync(mounted);
    await mount(server.path(volume), mounted, 'erofs', MS_RDONLY, '');
    t.teardown(() => unmount(mounted));
    const compared = start(t, 'diff', ['-r', tree, mounted]);
    t.same([(await compared.ended).code, compared.output()], [0, '']);
  });
}
