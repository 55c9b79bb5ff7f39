/** containerd's own conformance suite for snapshotters: alone on this machine, then against a real node. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { ensureCluster } from './lib/cluster.ts';

const ENTRY = fileURLToPath(new URL('../hack/conformance', import.meta.url));
/** As many as containerd's suite has: a case that is skipped or missing is no pass. */
const CASES = 21;

t.test('the snapshotter alone, with real overlay mounts, passes every case', async (t) => {
  judge(t, await output(ENTRY));
});

t.test('a node with volumes and neighbours passes every case over its socket', async (t) => {
  const cluster = await ensureCluster(1, process.env.FORAGE_TEST_CLUSTER ?? 'test');
  const suite = await readFile((await output(ENTRY, '--build')).trim());
  await cluster.sh('n1', 'cat > /root/suite && chmod +x /root/suite', { input: suite });
  t.teardown(() => cluster.sh('n1', 'rm /root/suite'));
  const environment = 'FORAGE_SNAPSHOTTER=/run/forage/snapshotter.sock';
  const { stdout } = await cluster.run('n1', ['env', environment, '/root/suite', '-test.v', '-test.root']);
  judge(t, stdout);
});

/** One assertion a case, with all that the suite said where one failed. */
function judge(t: Test, printed: string): void {
  const results = [...printed.matchAll(/^ +--- (PASS|FAIL|SKIP): TestConformance\/(\S+)/gm)];
  for (const [, result, name] of results) t.equal(result, 'PASS', name!);
  t.equal(results.length, CASES, 'number of cases');
  if (!/^PASS$/m.test(printed)) t.fail('the suite failed', { printed });
}

async function output(command: string, ...args: string[]): Promise<string> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return text(child.stdout);
}
