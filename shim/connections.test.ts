import { execFileSync } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { MAGIC } from '../blocks/criu-image.ts';
import { image, message, scratch } from '../blocks/testing.ts';
import { addressesInTables, areKeepable, hasConnections, localAddresses } from './connections.ts';

const [ESTABLISHED, LISTEN] = [1, 10];

/** A socket as CRIU writes it down, its address in words of memory. */
function socket(state: number, address: Buffer, type = 1): Uint8Array {
  const words = Array.from({ length: address.length / 4 }, (_, i) => address.readUInt32LE(i * 4));
  const fields = words.map((word): [number, number] => [11, word]);
  return message([1, 4], [2, 9], [4, message([4, type], [6, state], ...fields)]);
}

const four = (text: string) => Buffer.from(text.split('.').map(Number));

async function dump(t: Test, ...files: Uint8Array[]): Promise<string> {
  const folder = scratch(t);
  await writeFile(join(folder, 'files.img'), image(MAGIC.files, message([1, 1], [2, 3]), ...files));
  return folder;
}

t.test('addresses are those of connections, not of what listens', async (t) => {
  const folder = await dump(
    t,
    socket(LISTEN, four('10.0.0.1')),
    socket(ESTABLISHED, four('10.0.0.2')),
    socket(ESTABLISHED, Buffer.concat([Buffer.from('00000000000000000000ffff', 'hex'), four('10.0.0.3')])),
    socket(ESTABLISHED, Buffer.from('fd000000000000000000000000000001', 'hex')),
    socket(ESTABLISHED, four('10.0.0.4'), 2),
  );
  const found = localAddresses(join(folder, 'files.img'));
  t.same([...found], ['10.0.0.2', '10.0.0.3', 'fd000000000000000000000000000001']);
});

t.test('connections over loopback are kept anywhere, others where their address is', async (t) => {
  const loopback = await dump(t, socket(ESTABLISHED, four('127.0.0.1')));
  const none = await dump(t, socket(LISTEN, four('192.0.2.77')));
  t.ok(await areKeepable(none, { of: 'runc' }));
  const absent = await dump(t, socket(ESTABLISHED, four('192.0.2.77')));
  t.ok(await areKeepable(loopback, { of: 'runc' }));
  t.notOk(await areKeepable(absent, { of: 'runc' }));
  t.notOk(await areKeepable(absent, { of: 'machine' }));
  t.notOk(await areKeepable(absent, { of: 'path', path: '/proc/self/ns/net' }));
  const here = Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal);
  if (!here) return;
  const present = await dump(t, socket(ESTABLISHED, four(here.address)));
  t.ok(await areKeepable(present, { of: 'machine' }));
  t.ok(await areKeepable(present, { of: 'path', path: '/proc/self/ns/net' }));
});

t.test("a network namespace's own tables tell its addresses", (t) => {
  const text = execFileSync('cat', ['/proc/net/fib_trie', '/proc/net/if_inet6'], { encoding: 'utf8' });
  t.ok(addressesInTables(text).has('127.0.0.1'));
  t.end();
});

t.test('a network has connections, or only what listens and what has ended', async (t) => {
  const table = (...states: string[]) =>
    [
      '  sl  local_address rem_address   st',
      ...states.map((st, i) => `   ${i}: 0100007F:1F90 00000000:0000 ${st} 0`),
      '',
    ].join('\n');
  const folder = scratch(t);
  const has = async (tcp: string, tcp6?: string) => {
    await mkdir(join(folder, 'net'), { recursive: true });
    await writeFile(join(folder, 'net/tcp'), tcp);
    await rm(join(folder, 'net/tcp6'), { force: true });
    if (tcp6 !== undefined) await writeFile(join(folder, 'net/tcp6'), tcp6);
    return hasConnections(folder);
  };
  t.equal(await has(table()), false);
  t.equal(await has(table('0A', '06', '07')), false);
  t.equal(await has(table('0A', '01')), true);
  t.equal(await has(table('0A'), table('08')), true);
  t.equal(await hasConnections(join(folder, 'none')), true, 'nobody knows');
});
