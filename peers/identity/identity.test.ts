import { chmod, copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { authorityFiles, initCluster, issueNode } from './authority.ts';
import { IdentityError, type IdentityFiles, loadIdentity } from './identity.ts';
import { isNodeName, nodeNameOf } from './names.ts';

async function cluster(t: Test, days?: number) {
  const dir = await mkdtemp(join(tmpdir(), 'forage-ca-'));
  t.teardown(() => rm(dir, { recursive: true }));
  await initCluster(dir, days === undefined ? {} : { days });
  return dir;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * DAY_MS);

async function refused(t: Test, files: IdentityFiles, message: RegExp, now?: Date) {
  await t.rejects(loadIdentity(files, now), { name: 'IdentityError', message });
}

t.test('an issued node loads, with its name and two years to go', async (t) => {
  const dir = await cluster(t);
  const files = await issueNode(dir, 'n1', { addresses: ['10.0.0.1', 'fd00::1', 'n1.edge'] });
  const identity = await loadIdentity(files);
  t.equal(identity.name, 'n1');
  t.ok(identity.expires > inDays(729) && identity.expires < inDays(731));
});

t.test('keys can be read by their owner only', async (t) => {
  const dir = await cluster(t);
  const files = await issueNode(dir, 'n1');
  for (const key of [files.key, authorityFiles(dir).key]) t.equal((await stat(key)).mode & 0o777, 0o600);
  await chmod(files.key, 0o644);
  await refused(t, files, /node\.key: others may read it \(mode 644\); chmod 600/);
});

t.test('nothing is overwritten', async (t) => {
  const dir = await cluster(t);
  const before = await readFile(authorityFiles(dir).key);
  await t.rejects(initCluster(dir), { name: 'IdentityError', message: /ca\.key: is there already/ });
  t.same(await readFile(authorityFiles(dir).key), before);
  await issueNode(dir, 'n1');
  await t.rejects(issueNode(dir, 'n1'), { name: 'IdentityError', message: /node\.key: is there already/ });
});

t.test('names that could be mistaken or end up in a path are refused', async (t) => {
  const dir = await cluster(t);
  for (const name of ['', 'N1', 'a/b', '..', '.a', 'a-', 'a..b', 'a b', 'ä', 'a\n', 'a'.repeat(64)]) {
    t.notOk(isNodeName(name), name);
    await t.rejects(issueNode(dir, name), IdentityError, name);
  }
  for (const name of ['a', 'n1', 'rack-2.ship', '7', 'a'.repeat(63)]) t.ok(isNodeName(name), name);
  await t.rejects(issueNode(dir, 'n1', { addresses: ['not a host'] }), IdentityError);
  await t.rejects(issueNode(dir, 'n1', { days: 0 }), IdentityError);
});

t.test('a node never outlives its authority', async (t) => {
  const dir = await cluster(t, 10);
  const identity = await loadIdentity(await issueNode(dir, 'n1'));
  t.ok(identity.expires < inDays(11));
});

t.test('what is wrong with the files is said at start', async (t) => {
  const dir = await cluster(t);
  const other = await cluster(t);
  const n1 = await issueNode(dir, 'n1');
  const n2 = await issueNode(dir, 'n2', { days: 5000 });
  const stranger = await issueNode(other, 'n1');
  await refused(t, n1, /node\.crt: expired on .*issue a new one/, inDays(800));
  await refused(t, n2, /ca\.crt: expired on .*new authority/, inDays(3700));
  await refused(t, n1, /valid from .* check the clock/, inDays(-3));
  await refused(t, { ...n1, key: n2.key }, /node\.key: is not the key of the certificate/);
  await refused(t, { ...n1, ca: stranger.ca }, /node\.crt: was not issued by the authority/);
  await refused(t, { ...n1, ca: n2.cert }, /node\.crt: a certificate in it is no authority's/);
  await refused(t, { ...n1, cert: join(dir, 'absent') }, /absent: not found; .*forage cluster issue/);
  await refused(t, { ...n1, cert: n1.key }, /holds no certificate in PEM form/);
  await refused(t, { ...n1, key: n1.cert }, /holds no private key|others may read/);
  const own = { cert: authorityFiles(dir).cert, key: authorityFiles(dir).key, ca: n1.ca };
  await refused(t, own, /is not a node's certificate \(OU=forage-authority, CN=forage\)/);
});

t.test('two authorities may overlap while one replaces the other', async (t) => {
  const [before, after] = [await cluster(t), await cluster(t)];
  const n1 = await issueNode(before, 'n1');
  const both = join(before, 'both.crt');
  await copyFile(n1.ca, both);
  await writeFile(both, await readFile(authorityFiles(after).cert), { flag: 'a' });
  t.equal((await loadIdentity({ ...n1, ca: both })).name, 'n1');
  const n2 = await issueNode(after, 'n2');
  t.equal((await loadIdentity({ ...n2, ca: both })).name, 'n2');
});

t.test('only a subject with the role and one proper name is a node', async (t) => {
  t.equal(nodeNameOf({ CN: 'n1', OU: 'forage-node' }), 'n1');
  for (const subject of [
    undefined,
    {},
    { CN: 'n1' },
    { CN: 'n1', OU: 'forage-authority' },
    { CN: 'n1', OU: ['forage-node', 'x'] },
    { CN: ['n1', 'n2'], OU: 'forage-node' },
    { CN: 'N 1', OU: 'forage-node' },
  ]) {
    t.equal(nodeNameOf(subject), undefined);
  }
});
