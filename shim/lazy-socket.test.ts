import { closeSync, mkdtempSync, openSync, readlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CriuTwin } from './criu.twin.ts';
import { type Handed, LazySocket } from './lazy-socket.ts';

async function listening(t: Test, folderName = 'work') {
  const top = mkdtempSync(join(tmpdir(), 'forage-lazy-'));
  const folder = join(top, folderName);
  await mkdir(folder);
  const socket = LazySocket.listen(folder);
  t.teardown(async () => {
    socket.close();
    await rm(top, { recursive: true });
  });
  const known = new AbortController();
  const handed = (async () => {
    const all: Handed[] = [];
    for await (const one of socket.handed(known.signal)) all.push(one);
    return all;
  })();
  return { folder, known, handed };
}

t.test('processes are handed over with their descriptors, ended ones are passed over', async (t) => {
  const { folder, handed } = await listening(t);
  const criu = new CriuTwin(folder);
  const fd = openSync('/dev/null', 'r');
  criu.hand(7, fd);
  criu.hand(8);
  criu.hand(9, fd);
  closeSync(fd);
  criu.finish();
  const [first, second, last] = await handed;
  t.match([first, second, last], [{ pid: 7 }, { pid: 9 }, 'finished']);
  for (const one of [first, second]) {
    const { uffd } = one as { uffd: number };
    t.equal(readlinkSync(`/proc/self/fd/${uffd}`), '/dev/null');
    closeSync(uffd);
  }
});

t.test("containerd's folders have longer names than a socket's address may have", async (t) => {
  const { handed, known } = await listening(t, 'x'.repeat(200));
  known.abort();
  t.same(await handed, []);
});

t.test('a restore that has ended without connecting has left nothing for later', async (t) => {
  const { handed, known } = await listening(t);
  known.abort();
  t.same(await handed, []);
});

t.test('a restore that ends before it is done has not finished', async (t) => {
  const { folder, handed, known } = await listening(t);
  const criu = new CriuTwin(folder);
  criu.hand(8);
  known.abort();
  t.same(await handed, []);
});

t.test('what CRIU has sent is read, also where the end of its restore is heard of first', async (t) => {
  const { folder, handed, known } = await listening(t);
  const criu = new CriuTwin(folder);
  const fd = openSync('/dev/null', 'r');
  criu.hand(7, fd);
  closeSync(fd);
  criu.finish();
  known.abort();
  const [first, last] = await handed;
  t.match([first, last], [{ pid: 7 }, 'finished']);
  closeSync((first as { uffd: number }).uffd);
});
