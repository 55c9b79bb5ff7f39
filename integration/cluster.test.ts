/** The test bed itself: the tests of forage's behaviour across nodes trust what is checked here. */
import { spawnSync } from 'node:child_process';
import t from 'tap';

const entry = new URL('../hack/cluster', import.meta.url).pathname;
const cluster = `test-${process.pid}`;

interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs hack/cluster on this test's cluster. */
function bed(verb: string, ...words: string[]): Result {
  return spawnSync(entry, [verb, '--name', cluster, ...words], { encoding: 'utf8' });
}

function must(verb: string, ...words: string[]): string {
  const { status, stdout, stderr } = bed(verb, ...words);
  if (status !== 0)
    throw new Error(`hack/cluster ${verb} ${words.join(' ')} ended with ${status}: ${stderr}`);
  return stdout;
}

const inside = (node: string, ...command: string[]): string => must('exec', node, '--', ...command);
/** Three seconds: after a cut heals, the kernel asks for the neighbour's hardware address again only once a second. */
/** One answer of several is enough: a machine that has not run for a moment may lose the first. */
const reaches = (from: string, to: string): boolean =>
  bed('exec', from, '--', 'ping', '-q', '-c', '5', '-i', '0.2', '-W', '3', to).status === 0;
const states = (): Record<string, string> => {
  const { machines } = JSON.parse(must('status', '--json'));
  return Object.fromEntries(
    machines.map(({ name, state }: { name: string; state: string }) => [name, state]),
  );
};

t.before(() => must('up', '2'));
t.teardown(() => bed('down'));

t.test('up: systemd runs, containerd answers, names resolve, the registry serves', async (t) => {
  t.same(states(), { n1: 'on', n2: 'on', registry: 'on' });
  t.match(inside('n1', 'ctr', 'version'), /Server:/);
  t.ok(reaches('n1', 'n2'));
  const code = inside(
    'n2',
    'curl',
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    'http://registry:5000/v2/',
  );
  t.equal(code, '200');
  t.equal(inside('n1', 'findmnt', '-n', '-o', 'OPTIONS', '/proc/sys').split(',')[0], 'ro');
});

t.test('up on a cluster that is there is an error that says so', async (t) => {
  const again = bed('up', '2');
  t.equal(again.status, 1);
  t.match(again.stderr, /is there already/);
});

t.test("exec passes the command's input, output, errors and exit status through", async (t) => {
  const input = 'line one\nline two\n';
  const words = [...['exec', '--name', cluster, 'n1', '--'], ...['sh', '-c', 'cat; echo oops >&2; exit 42']];
  const { status, stdout, stderr } = spawnSync(entry, words, { encoding: 'utf8', input });
  t.equal(status, 42);
  t.equal(stdout, input);
  t.equal(stderr, 'oops\n');
});

t.test('exec on a machine that does not exist names those that do', async (t) => {
  t.match(bed('exec', 'n7', '--', 'true').stderr, /no machine "n7"; it has n1, n2, registry/);
});

t.test('a command that exec started ends with exec', async (t) => {
  spawnSync(entry, ['exec', '--name', cluster, 'n1', '--', 'sleep', '4242'], {
    timeout: 2000,
    killSignal: 'SIGKILL',
  });
  t.notMatch(inside('n1', 'ps', '-e', '-o', 'args'), /^sleep 4242$/m);
});

t.test('a cut separates its group from all others, and heal ends it', async (t) => {
  must('cut', 'n1', 'registry');
  t.ok(reaches('n1', 'registry'), 'inside the group');
  t.notOk(reaches('n1', 'n2'), 'across the cut');
  must('cut', 'n1');
  t.notOk(reaches('n1', 'registry'), 'across a second cut');
  must('heal');
  t.ok(reaches('n1', 'n2') && reaches('n1', 'registry') && reaches('n2', 'registry'));
});

t.test('kill takes processes, mounts and memory, start brings the disk back', async (t) => {
  inside('n2', 'sh', '-c', 'echo kept > /root/file; echo kept > /var/lib/containerd/file; sync');
  inside(
    'n2',
    'sh',
    '-c',
    'echo lost > /run/file; mount -t tmpfs none /mnt; (setsid sleep 999 > /dev/null 2>&1 &)',
  );
  must('kill', 'n2');
  t.equal(states().n2, 'off');
  t.notOk(reaches('n1', 'n2'));
  t.match(bed('exec', 'n2', '--', 'true').stderr, /n2 is off/);
  must('start', 'n2');
  t.equal(inside('n2', 'cat', '/root/file', '/var/lib/containerd/file'), 'kept\nkept\n');
  t.notOk(bed('exec', 'n2', '--', 'test', '-e', '/run/file').status === 0);
  t.notOk(bed('exec', 'n2', '--', 'mountpoint', '-q', '/mnt').status === 0);
  t.ok(reaches('n1', 'n2'));
});

t.test('a machine that was cut off is still cut off after a reboot', async (t) => {
  const bootId = () => inside('n2', 'cat', '/proc/sys/kernel/random/boot_id');
  const before = bootId();
  must('cut', 'n2');
  must('reboot', 'n2');
  t.not(bootId(), before);
  t.notOk(reaches('n1', 'n2'));
  must('heal');
  t.ok(reaches('n1', 'n2'));
});

t.test('destroy loses the disk', async (t) => {
  inside('n2', 'sh', '-c', 'echo lost > /root/file; sync');
  must('destroy', 'n2');
  must('start', 'n2');
  t.notOk(bed('exec', 'n2', '--', 'test', '-e', '/root/file').status === 0);
});

t.test('down leaves no namespace, no mount and no process', async (t) => {
  must('kill', 'n1'); // half dead
  must('down');
  const host = (command: string, ...args: string[]) => spawnSync(command, args, { encoding: 'utf8' }).stdout;
  t.notMatch(host('ip', 'netns', 'list'), new RegExp(`forage-${cluster}-`));
  t.notMatch(host('findmnt', '--raw', '--noheadings'), new RegExp(`clusters/${cluster}/`));
  t.notMatch(host('ps', '-e', '-o', 'args'), new RegExp(`clusters/${cluster}/`));
  t.match(bed('status').stderr, /there is no cluster/);
});
