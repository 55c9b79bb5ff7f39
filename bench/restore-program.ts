/** The program that restore.ts moves, and what each way of moving it has in common: how it is watched, and how a file is copied. */
import { type Cluster, eventually } from '../integration/lib/cluster.ts';

export interface Row {
  how: string;
  firstStepSeconds: number;
  allSeconds: number;
}

/** A shell's word. */
export const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

/** Fills its memory, then writes down the time every few milliseconds, and a hash of all its memory when asked. */
export const program = (megabytes: number) => `
import hashlib, os, time
data = bytearray()
for i in range(${megabytes}): data += os.urandom(1000000)
open("/digest", "w").write(hashlib.sha256(data).hexdigest())
steps = open("/steps", "a", buffering=1)
while True:
    steps.write(f"{time.time()}\\n")
    if os.path.exists("/ask"):
        os.remove("/ask")
        open("/answer.new", "w").write(hashlib.sha256(data).hexdigest())
        os.rename("/answer.new", "/answer")
    time.sleep(0.005)
`;

/** The program as one machine sees it: `root` is its root folder there. */
export class Watched {
  readonly #cluster: Cluster;
  readonly #node: string;
  readonly #root: string;

  constructor(cluster: Cluster, node: string, root: string) {
    this.#cluster = cluster;
    this.#node = node;
    this.#root = root;
  }

  async filled(): Promise<void> {
    await eventually(
      'its memory is full',
      async () => (await this.#cluster.run(this.#node, ['test', '-s', `${this.#root}/steps`])).status === 0,
      180_000,
    );
  }

  /** Seconds from `sinceSeconds` to the first time after it at which it was running. */
  async firstStep(sinceSeconds: number): Promise<number> {
    let at = Number.NaN;
    await eventually(`${this.#root} goes on`, async () => {
      const look = `awk '$1 > ${sinceSeconds} {print $1; exit}' ${this.#root}/steps`;
      // There is no such container yet.
      const { stdout } = await this.#cluster.run(this.#node, ['sh', '-c', look]);
      at = Number(stdout.trim() || Number.NaN);
      return !Number.isNaN(at);
    });
    return at - sinceSeconds;
  }

  /** Rejects unless its memory is what it was. */
  async verified(): Promise<void> {
    const ask = `cd ${this.#root} && touch ask && until [ -e answer ]; do sleep 0.05; done; cat answer`;
    const answer = await this.#cluster.sh(this.#node, ask);
    const digest = await this.#cluster.sh(this.#node, `cat ${this.#root}/digest`);
    if (answer !== digest) throw new Error(`${this.#root} has other memory than before`);
  }
}

const SERVE =
  "require('http').createServer((q,a)=>require('fs').createReadStream(process.argv[1]).pipe(a)).listen(8000)";

/** While `during` runs, n1 offers a file, which may not be there yet, as http://n1:8000/. */
export async function served<T>(cluster: Cluster, file: string, during: () => Promise<T>): Promise<T> {
  await cluster.sh(
    'n1',
    `systemd-run --quiet --collect --unit served --property RuntimeMaxSec=300 /usr/lib/forage/node_modules/node/bin/node -e ${quoted(SERVE)} ${file} &&
     until ss -Hltn 'sport = :8000' | grep -q .; do sleep 0.05; done`,
  );
  try {
    return await during();
  } finally {
    await cluster.sh('n1', 'systemctl stop served');
  }
}
