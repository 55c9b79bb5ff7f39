import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { controlTwin } from '../node/control.twin.ts';
import { revocationOf } from '../peers/directory/sign.ts';
import { Verifier } from '../peers/directory/verify.ts';
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import { folder, forage, withNode } from './bed.twin.ts';

async function cluster(t: Test) {
  const dir = join(await folder(t), 'ca');
  await initCluster(dir);
  const n4 = await issueNode(dir, 'n4');
  const control = controlTwin();
  return { dir, n4, control, config: await withNode(t, { control }) };
}

t.test("a node's key is revoked by the authority, through this machine's node", async (t) => {
  const { dir, n4, control, config } = await cluster(t);
  const { status, out } = await forage('cluster', 'revoke', 'n4', '--dir', dir, '--config', config);
  t.equal(status, 0);
  t.match(out, /^Revoked: n4, key [0-9a-f]{64}\.$/m);
  const verifier = new Verifier(await readFile(n4.ca));
  const held = await verifier.verify(control.revoked[0]!, Date.now());
  t.match(held, { kind: 'revocation', content: revocationOf(await readFile(n4.cert)) });
  t.equal(control.revoked.length, 1);
});

t.test('signed here into a file, and handed over there without the authority', async (t) => {
  const { dir, n4, control, config } = await cluster(t);
  const file = join(dir, 'n4.revoked');
  const moved = join(dir, 'elsewhere.crt');
  await writeFile(moved, await readFile(n4.cert));
  const signed = await forage('cluster', 'revoke', 'n4', '--dir', dir, '--cert', moved, '--out', file);
  t.equal(signed.status, 0, signed.err);
  t.match(signed.out, /Nothing is revoked yet.*\n {2}forage cluster revoke --record /);
  t.equal(control.revoked.length, 0);

  const handed = await forage('cluster', 'revoke', '--record', file, '--config', config);
  t.match(handed.out, /^Revoked: n4, /);
  const verifier = new Verifier(await readFile(n4.ca));
  t.match(await verifier.verify(control.revoked[0]!, Date.now()), { content: { node: 'n4' } });
});

t.test('a certificate that is not the one meant is refused, and nothing is signed', async (t) => {
  const { dir, n4, control, config } = await cluster(t);
  const other = join(await folder(t), 'other');
  await initCluster(other);
  const stranger = await issueNode(other, 'n4');
  const text = join(dir, 'text');
  await mkdir(join(dir, 'n5'));
  await writeFile(text, 'no certificate');
  const cases: [string[], RegExp][] = [
    [['n5'], /n5\/node\.crt: not found; give the node's certificate with --cert/],
    [['n5', '--cert', n4.cert], /is the certificate of n4, not of n5/],
    [['n4', '--cert', stranger.cert], /was not issued by this authority/],
    [['n4', '--cert', text], /holds no certificate/],
    [['forage', '--cert', join(dir, 'ca.crt')], /is the certificate of no node, not of forage/],
  ];
  for (const [args, message] of cases) {
    const { status, err } = await forage('cluster', 'revoke', ...args, '--dir', dir, '--config', config);
    t.equal(status, 1, err);
    t.match(err, message);
  }
  t.equal(control.revoked.length, 0);
});

t.test('a file that is no revocation is refused here', async (t) => {
  const { dir, control, config } = await cluster(t);
  const file = join(dir, 'x');
  for (const [content, message] of [
    ['text', /x: is no revocation/],
    ['', /x: is no revocation/],
    ['x'.repeat(100_000), /larger than a revocation/],
  ] as const) {
    await writeFile(file, content);
    const { status, err } = await forage('cluster', 'revoke', '--record', file, '--config', config);
    t.equal(status, 1);
    t.match(err, message);
  }
  t.equal(control.revoked.length, 0);
});

t.test('half a command line is wrong usage', async (t) => {
  for (const args of [[], ['n4'], ['n4', '--record', 'x'], ['--dir', '.']]) {
    const { status, err } = await forage('cluster', 'revoke', ...args);
    t.equal(status, 2, args.join(' '));
    t.match(err, /--record/);
  }
});
