import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BadTarError, parsePax, parsePaxTime } from './tar-header.ts';
import { type TarEntry, TarReader } from './tar-read.ts';
import { TAR_END, tarHeader } from './tar-write.ts';
import { collect, scratch, seededPick, tarOf } from './testing.ts';

async function* inPieces(bytes: Buffer, pieceBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}

async function readAll(bytes: Buffer, pieceBytes = 65_536): Promise<Array<TarEntry & { data: Buffer }>> {
  const reader = new TarReader(inPieces(bytes, pieceBytes));
  const all: Array<TarEntry & { data: Buffer }> = [];
  for (let entry = await reader.next(); entry; entry = await reader.next()) {
    all.push({
      ...entry,
      data: await collect(reader.content()),
    });
  }
  await reader.drain();
  return all;
}

t.test('what was written is read, whatever pieces it comes in', async (t) => {
  const records = [
    { type: '0' as const, name: 'n'.repeat(300), mode: 0o4755, uid: 3e9, gid: 7, data: randomBytes(5000) },
    { type: '2' as const, name: 'short', linkName: `\xff${'l'.repeat(200)}` },
    { type: '3' as const, name: 'dev', device: { major: 259, minor: 1_000_000 } },
    {
      type: '5' as const,
      name: 'caf\xc3\xa9/',
      modified: { seconds: 1_700_000_000, nanoseconds: 5 },
      xattrs: new Map([['security.capability', Buffer.from([1, 0, 0, 2, 0x0a, 0x3d])]]),
    },
  ];
  const bytes = await collect(tarOf(records));
  for (const pieceBytes of [1, 100, 511, 512, 1 << 20]) {
    const entries = await readAll(bytes, pieceBytes);
    t.match(
      entries,
      [
        { name: records[0]!.name, mode: 0o4755, uid: 3e9, gid: 7, data: records[0]!.data },
        { type: '2', linkName: records[1]!.linkName },
        { deviceMajor: 259, deviceMinor: 1_000_000 },
        { type: '5', name: 'caf\xc3\xa9/', modified: { seconds: 1_700_000_000, nanoseconds: 5 } },
      ],
      `${pieceBytes} bytes at once`,
    );
    t.same(entries[3]!.xattrs, records[3]!.xattrs);
  }
});

t.test('the formats of GNU tar are understood, sparse files too', async (t) => {
  const dir = scratch(t);
  const long = `${'d'.repeat(90)}/${'f'.repeat(95)}`;
  mkdirSync(`${dir}/in/${'d'.repeat(90)}`, { recursive: true });
  writeFileSync(`${dir}/in/${long}`, 'long');
  writeFileSync(`${dir}/in/sparse`, randomBytes(8192));
  truncateSync(`${dir}/in/sparse`, 3_000_000);
  writeFileSync(`${dir}/in/sparse`, 'tail', { flag: 'a' });
  const forms = ['ustar', 'gnu', 'pax', 'v7'].map((format) => [`--format=${format}`]);
  for (const version of ['0.0', '0.1', '1.0'])
    forms.push(['--format=pax', '-S', `--sparse-version=${version}`]);
  for (const form of forms) {
    const files = form[0] === '--format=v7' ? ['sparse'] : ['.'];
    const archive = execFileSync('tar', ['-C', `${dir}/in`, '-c', ...form, ...files], { maxBuffer: 2 ** 24 });
    const entries = await readAll(archive);
    const sparse = entries.find(({ name }) => name.endsWith('sparse'))!;
    t.ok(sparse.data.equals(readFileSync(`${dir}/in/sparse`)), form.join(' '));
    t.equal(sparse.sizeBytes, 3_000_004);
    if (files[0] === '.')
      t.ok(
        entries.some(({ name }) => name === `./${long}`),
        'the long name',
      );
  }
});

t.test('numbers in base 256 and old directories are understood', async (t) => {
  const header = tarHeader({ type: '0', name: 'old/' });
  header[156] = 0;
  Buffer.from([0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]).copy(header, 108);
  Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe]).copy(header, 136);
  t.match(await readAll(Buffer.concat([withSum(header), TAR_END])), [
    { type: '5', name: 'old/', uid: 2 ** 32 - 1, modified: { seconds: -2 } },
  ]);
});

function withSum(header: Buffer): Buffer {
  header.fill(' ', 148, 156);
  header.write(
    header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(7, '0'),
    148,
    'latin1',
  );
  return header;
}

t.test('an archive may end without its zero blocks, but not amid an entry', async (t) => {
  const whole = await collect(tarOf([{ type: '0', name: 'a', data: Buffer.alloc(1000, 1) }]));
  t.equal((await readAll(whole.subarray(0, 512 + 1024))).length, 1);
  t.equal((await readAll(whole.subarray(0, 512 + 1000))).length, 1, 'padding may lack');
  for (const length of [100, 511, 600, 512 + 999]) {
    await t.rejects(readAll(whole.subarray(0, length)), BadTarError, `${length} bytes`);
  }
});

t.test('malformed records are refused', async (t) => {
  for (const text of ['5 a=b', 'x a=b\n', '99 a=b\n', '6 ab\n\n', '0 a=\n', '3 a']) {
    t.throws(() => parsePax(Buffer.from(text)), BadTarError, text);
  }
  for (const text of ['', 'x', '1e3', '1.2.3', '--1']) t.throws(() => parsePaxTime(text), BadTarError, text);
  t.same(parsePaxTime('-1.5'), { seconds: -1, nanoseconds: -500_000_000 });
  t.same(parsePaxTime('1.0000000019'), { seconds: 1, nanoseconds: 1 });
});

t.test('10,000 mutations: each is read or refused with one error', async (t) => {
  const pick = seededPick(t);
  const xattrs = new Map([['user.x', Buffer.from('y')]]);
  const good = await collect(
    tarOf([
      { type: '0', name: 'a'.repeat(150), data: randomBytes(700), xattrs },
      { type: '5', name: 'd', modified: { seconds: 1, nanoseconds: 2 } },
    ]),
  );
  let refused = 0;
  for (let round = 0; round < 10_000; round++) {
    const bytes = Buffer.from(good.subarray(0, pick(10) === 0 ? pick(good.length) : good.length));
    for (let times = 1 + pick(3); times > 0; times--) bytes[pick(bytes.length)] = pick(256);
    // Half of them with right checksums, so that the fields behind them are reached.
    for (let at = 0; pick(2) && at + 512 <= bytes.length; at += 512) {
      if (bytes.toString('latin1', at + 257, at + 262) === 'ustar') withSum(bytes.subarray(at, at + 512));
    }
    try {
      await readAll(bytes);
    } catch (error) {
      if (!(error instanceof BadTarError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 0, `${refused} refused`);
});
