/** The nodes of a benchmark, seen from the one that drives them: each a process in its own network namespace. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import type { Command, Fetched, FetchOrder } from './sources-end.ts';
import type { Net } from './sources-net.ts';

const END = fileURLToPath(new URL('sources-end.ts', import.meta.url));

export class NodeProcess {
  readonly name: string;
  readonly number: number;
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #next = 0;

  constructor(folder: string, net: Net, number: number) {
    this.name = `n${number}`;
    this.number = number;
    const [command, ...args] = net.at(number);
    const argv = [...args, process.execPath, END, folder, this.name, net.address(number)];
    this.#child = spawn(command!, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdin.on('error', () => {}); // 'exit' follows
    this.#child.on('exit', (status) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${this.name} ended with ${status}`));
      this.#waiting.clear();
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { number, value, error } = JSON.parse(line) as {
        number: number;
        value?: unknown;
        error?: string;
      };
      const waiting = this.#waiting.get(number)!;
      this.#waiting.delete(number);
      if (error === undefined) waiting.resolve(value);
      else waiting.reject(new Error(`${this.name}: ${error}`));
    });
  }

  do(command: Command): Promise<unknown> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const number = this.#next++;
    this.#waiting.set(number, { resolve, reject });
    this.#child.stdin.write(`${JSON.stringify({ number, command })}\n`);
    return promise;
  }

  async fetch(order: FetchOrder): Promise<Fetched> {
    return (await this.do({ do: 'fetch', order })) as Fetched;
  }

  async served(): Promise<number> {
    return (await this.do({ do: 'served' })) as number;
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}

/** Runs `use` with nodes 1 to `count`, whose cables are there already, and ends them. */
export async function withNodes(
  net: Net,
  count: number,
  use: (nodes: readonly NodeProcess[]) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-bench-'));
  const nodes: NodeProcess[] = [];
  try {
    await initCluster(folder);
    for (let number = 1; number <= count; number++) {
      await issueNode(folder, `n${number}`);
      nodes.push(new NodeProcess(folder, net, number));
    }
    await use(nodes);
  } finally {
    for (const node of nodes) node.end();
    await rm(folder, { recursive: true, force: true });
  }
}
