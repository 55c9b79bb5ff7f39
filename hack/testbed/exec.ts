/** `hack/cluster exec`: this process becomes the command, so its input, output, signals and exit status are the caller's. */
import { enter, initOf, keeperOf } from './machine.ts';
import { machineOf } from './model.ts';
import { poll, UserError } from './run.ts';
import { load } from './store.ts';

const bootTimeoutMs = 60_000;

export async function exec(cluster: string, machine: string, command: string[]): Promise<never> {
  machineOf(load(cluster), machine);
  // A machine between two boots has no init for a moment: wait for it.
  const init = await poll(bootTimeoutMs, 50, () => {
    if (!keeperOf(cluster, machine))
      throw new UserError(`${machine} is off: hack/cluster start ${machine} --name ${cluster}`);
    return initOf(cluster, machine);
  });
  if (!init) throw new UserError(`${machine} does not finish booting`);
  const [program, ...args] = enter(init, command);
  if (!process.execve) throw new UserError('hack/cluster needs Node 24');
  return process.execve(`/usr/bin/${program}`, [program!, ...args], { ...process.env } as Record<
    string,
    string
  >);
}
