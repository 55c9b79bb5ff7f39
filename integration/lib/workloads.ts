/** Programs whose state can be told after they were moved: each is started in a container, and later asked whether all is as it was. */
import type { Cluster } from './cluster.ts';
import { intoUserNamespace, lacksSysResource } from './user-namespace.ts';

export interface Workload {
  name: string;
  image: string;
  argv: string[];
  /** Run in the container once it is up: what it prints is its state. Also brings it into that state. */
  prepare: string[];
  /** Run in the restored container: must print the same. */
  check: string[];
  /** Further flags of `nerdctl run`. */
  flags?: string;
  /** Some of its processes run as another user than root. */
  hasUsers?: true;
}

/** Counts in a file that was not in the image, and has removed and changed others that were. */
export const counter: Workload = {
  name: 'a counter',
  image: 'busybox',
  argv: [
    ...['sh', '-c'],
    'echo new > /new; rm -f /etc/motd; echo changed > /etc/group; i=0; while :; do i=$((i+1)); echo $i > /count.n; mv /count.n /count; sleep 0.05; done',
  ],
  prepare: [
    'sh',
    '-c',
    'sleep 1; cat /new /etc/group; ls /etc/motd 2>&1 | wc -l; test "$(cat /count)" -gt 5',
  ],
  check: [
    ...['sh', '-c'],
    'cat /new /etc/group; ls /etc/motd 2>&1 | wc -l; a=$(cat /count); sleep 0.5; test "$(cat /count)" -gt "$a" && test "$a" -gt 5',
  ],
};

/** A shell on a terminal, which it says the name and the size of, with settings of the kernel of its own. */
export const terminal: Workload = {
  name: 'a shell on a terminal',
  image: 'busybox',
  argv: [
    'sh',
    '-c',
    'stty cols 77 rows 33; while :; do { tty; stty size; cat /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax; } > /state.new; mv /state.new /state; echo line; sleep 0.1; done',
  ],
  prepare: ['sh', '-c', 'until [ -e /state ]; do sleep 0.1; done; cat /state'],
  check: ['sh', '-c', 'rm /state; until [ -e /state ]; do sleep 0.1; done; cat /state'],
  flags: '-t --sysctl net.core.somaxconn=100 --sysctl kernel.msgmax=9000',
};

const HASHES = `
import hashlib, os, random, sys, time
n = int(sys.argv[1])
random.seed(n)
data = bytearray()
for i in range(n): data += random.randbytes(1 << 20)
def digest(): return hashlib.sha256(data).hexdigest()
open("/ready.new", "w").write(digest())
os.rename("/ready.new", "/ready")
while True:
    if os.path.exists("/ask"):
        open("/answer.new", "w").write(digest())
        os.remove("/ask")
        os.rename("/answer.new", "/answer")
    time.sleep(0.02)
`;

/** Holds so many MiB of noise, no two pages of them alike, and hashes all of them when asked. */
export function hasher(mebibytes: number): Workload {
  return {
    name: `python with ${mebibytes} MiB that it hashes`,
    image: 'python:v1',
    argv: ['python3', '-c', HASHES, String(mebibytes)],
    prepare: ['sh', '-c', 'until [ -e /ready ]; do sleep 0.1; done; cat /ready'],
    check: ['sh', '-c', 'rm -f /answer; touch /ask; until [ -e /answer ]; do sleep 0.05; done; cat /answer'],
  };
}

const CHANGES = `
import os, random, sys, time
n = int(sys.argv[1])
def noise(generation):
    random.seed(generation)
    return random.randbytes(n << 20)
generation, data = 0, bytearray(noise(0))
while True:
    generation += 1
    data[:] = noise(generation)
    open("/generation.new", "w").write(str(generation))
    os.rename("/generation.new", "/generation")
    if os.path.exists("/ask"):
        os.remove("/ask")
        open("/answer.new", "w").write("right\\n" if data == noise(generation) else "wrong\\n")
        os.rename("/answer.new", "/answer")
    time.sleep(0.2)
`;

/** Fills so many MiB with noise over and over, tells of how often in a file, and looks whether it is what it should be when asked. */
export function changing(mebibytes: number): Workload {
  return {
    name: `python with ${mebibytes} MiB that change`,
    image: 'python:v1',
    argv: ['python3', '-c', CHANGES, String(mebibytes)],
    prepare: ['sh', '-c', 'until [ -e /generation ]; do sleep 0.1; done; echo right'],
    check: ['sh', '-c', 'rm -f /answer; touch /ask; until [ -e /answer ]; do sleep 0.05; done; cat /answer'],
  };
}

/** Starts it with nerdctl, without a network but loopback unless it is to have the machine's, and answers its state. */
export async function start(
  cluster: Cluster,
  node: string,
  id: string,
  workload: Workload,
  net: 'none' | 'host' = 'none',
): Promise<string> {
  const argv = workload.argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const flags = `-q --net ${net} --runtime /usr/bin/forage-runc --name ${id}${workload.flags ? ` ${workload.flags}` : ''}`;
  const nerdctl = (verb: string) =>
    cluster.sh(node, `nerdctl --snapshotter forage ${verb} ${flags} registry:5000/${workload.image} ${argv}`);
  if (workload.hasUsers && (await lacksSysResource(cluster, node))) {
    await intoUserNamespace(cluster, node, (await nerdctl('create')).trim());
    await cluster.sh(node, `nerdctl start ${id}`);
  } else await nerdctl('run -d');
  return inside(
    cluster,
    node,
    (await cluster.sh(node, `nerdctl ps -q --no-trunc --filter name=${id}`)).trim(),
    workload.prepare,
  );
}

let execs = 0;
/** ctr may end before it has copied the last of a command's output: of one that prints for sure, all of it is lost now and then. */
const TRIES = 5;

/** What a command prints in a container: something, and the same when it is run again. Rejects when it fails. */
export async function inside(cluster: Cluster, node: string, id: string, argv: string[]): Promise<string> {
  for (let tries = 1; tries < TRIES; tries++) {
    const printed = await execute(cluster, node, id, argv);
    if (printed !== '') return printed;
  }
  return execute(cluster, node, id, argv);
}

/** Runs a command in a container. Answers what it has printed, as far as ctr has heard it. Rejects when it fails. */
export async function execute(cluster: Cluster, node: string, id: string, argv: string[]): Promise<string> {
  const exec = ['ctr', 'task', 'exec', '--exec-id', `x${++execs}`, id, ...argv];
  const { status, stdout, stderr } = await cluster.run(node, exec, { timeoutMs: 120_000 });
  if (status !== 0)
    throw new Error(`${node}: ${argv.join(' ')} in ${id}: status ${status}\n${stdout}${stderr}`);
  return stdout;
}
