/** Waiting until a machine does its work: systemd has started everything, containerd (or the registry) answers. */
import { join } from 'node:path';
import { inside, keeperOf } from './machine.ts';
import { type Cluster, isNode, type Machine } from './model.ts';
import { machineDir } from './network.ts';
import { poll, say, UserError } from './run.ts';
import { forageUnits } from './seed.ts';

const bootTimeoutMs = 120_000;
const forageTimeoutMs = 15_000;

/** The registry answers 200 on /v2/; containerd answers `ctr version`. */
const probe = (machine: Machine): string[] =>
  isNode(machine)
    ? ['ctr', 'version']
    : ['curl', '--silent', '--fail', '--output', '/dev/null', 'http://localhost:5000/v2/'];

/** Waits for systemd, then for the service; a machine that ends meanwhile is an error that says where its console is. */
export async function waitUntilReady(cluster: Cluster, machine: Machine): Promise<void> {
  const consoleLog = join(machineDir(cluster.name, machine.name), 'console.log');
  let lived = false;
  const works = async (command: string[]): Promise<boolean> => {
    const alive = keeperOf(cluster.name, machine.name) !== undefined;
    if (lived && !alive)
      throw new UserError(`${machine.name} went off while it booted; its console: ${consoleLog}`);
    lived ||= alive;
    return (await inside(cluster, machine, ...command)).status === 0;
  };
  // --wait blocks until the boot is over; "degraded" is a status of its own, so the answer is asked for afterwards.
  const steps = [
    ['sh', '-c', 'systemctl is-system-running --wait > /dev/null; systemctl is-active multi-user.target'],
    probe(machine),
  ];
  for (const step of steps) {
    const done = await poll(bootTimeoutMs, 50, async () => ((await works(step)) ? true : undefined));
    if (!done)
      throw new UserError(
        `${machine.name} does not get ready (${step.join(' ')}); its console: ${consoleLog}`,
      );
  }
  if (isNode(machine)) await checkForage(cluster, machine);
}

/** A forage that does not start is reported and no more: somebody may want to look at just that. */
async function checkForage(cluster: Cluster, machine: Machine): Promise<void> {
  const units = forageUnits(cluster);
  if (units.length === 0) return;
  const settled = await poll(forageTimeoutMs, 100, async () => {
    const states = (await inside(cluster, machine, 'systemctl', 'is-active', ...units)).stdout
      .trim()
      .split('\n');
    return states.every((state) => state === 'active' || state === 'failed') ? states : undefined;
  });
  if (settled?.every((state) => state === 'active')) return;
  const journal = `hack/cluster exec ${machine.name} --name ${cluster.name} -- journalctl ${units.map((unit) => `-u ${unit}`).join(' ')}`;
  say(`${machine.name}: forage is not running: ${journal}`);
}
