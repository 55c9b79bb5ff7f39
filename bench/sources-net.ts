/**
 * A network for one benchmark: a namespace that is the switch, and a namespace with a shaped cable for each node, all named
 * after this process. Removed at the end, on signals, and when the benchmark fails.
 */
import { execFileSync } from 'node:child_process';
import { formatRate, shapeOf } from '../hack/testbed/units.ts';

export class Net {
  readonly #prefix: string;
  readonly #made: string[] = [];
  readonly #onExit = () => this.remove();

  constructor(label: string) {
    this.#prefix = `${label}-${process.pid}`;
    process.on('exit', this.#onExit);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
    const name = this.#namespace('switch');
    run('ip', '-n', name, 'link', 'add', 'switch', 'type', 'bridge', 'forward_delay', '0', 'stp_state', '0');
    run('ip', '-n', name, 'link', 'set', 'switch', 'up');
  }

  /** Node `number` (1 to 254) with a cable of this rate. */
  add(number: number, rateBits: number): void {
    const [name, port] = [this.#namespace(`n${number}`), portOf(number)];
    const far = this.#name('switch');
    run('ip', '-n', far, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    run('ip', '-n', name, 'address', 'add', `${this.address(number)}/24`, 'dev', 'eth0');
    run('ip', '-n', far, 'link', 'set', port, 'master', 'switch');
    this.shape(number, rateBits);
    run('ip', '-n', name, 'link', 'set', 'lo', 'up');
    run('ip', '-n', name, 'link', 'set', 'eth0', 'up');
    run('ip', '-n', far, 'link', 'set', port, 'up');
  }

  /** Both ends of its cable get this rate. */
  shape(number: number, rateBits: number): void {
    const { burstBytes, queueBytes } = shapeOf(rateBits);
    const tbf = [
      'root',
      'tbf',
      'rate',
      formatRate(rateBits),
      'burst',
      `${burstBytes}`,
      'limit',
      `${queueBytes}`,
    ];
    run('tc', '-n', this.#name(`n${number}`), 'qdisc', 'replace', 'dev', 'eth0', ...tbf);
    run('tc', '-n', this.#name('switch'), 'qdisc', 'replace', 'dev', portOf(number), ...tbf);
  }

  /** Takes its cable out: from now on nobody hears of it. */
  unplug(number: number): void {
    run('ip', '-n', this.#name('switch'), 'link', 'set', portOf(number), 'down');
  }

  plug(number: number): void {
    run('ip', '-n', this.#name('switch'), 'link', 'set', portOf(number), 'up');
  }

  address(number: number): string {
    return `10.91.0.${number}`;
  }

  /** What a command line begins with to run at that node. */
  at(number: number): string[] {
    return ['ip', 'netns', 'exec', this.#name(`n${number}`)];
  }

  remove(): void {
    process.off('exit', this.#onExit);
    for (const name of this.#made.splice(0).reverse()) {
      try {
        run('ip', 'netns', 'delete', name);
      } catch (error) {
        console.error((error as Error).message);
      }
    }
  }

  #name(part: string): string {
    return `${this.#prefix}-${part}`;
  }

  #namespace(part: string): string {
    const name = this.#name(part);
    run('ip', 'netns', 'add', name);
    this.#made.push(name);
    return name;
  }
}

const portOf = (number: number): string => `n${number}`;

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
