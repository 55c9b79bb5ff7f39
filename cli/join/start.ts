/** Starts the node that has become a member, and waits until it sees another one. */
import { Failure } from '../errors.ts';
import { membersSeenBy } from '../peers.ts';
import type { Machine } from './machine.ts';

const UNITS = ['forage-volumes.service', 'forage.service'];
const WAIT_MS = 15_000;
const ASK_EVERY_MS = 500;

/** For people, with what can be pasted. */
export const START = 'systemctl enable --now forage-volumes forage';

/** A node that runs already is restarted: it reads its identity and configuration at its start only. */
export async function startUnits(machine: Machine): Promise<void> {
  const running = (await machine.systemctl('is-active', '--quiet', 'forage.service')).ok;
  await must(machine, 'enable', '--now', ...UNITS);
  if (running) await must(machine, 'restart', 'forage.service');
}

async function must(machine: Machine, ...args: string[]): Promise<void> {
  const { ok, text } = await machine.systemctl(...args);
  if (!ok)
    throw new Failure(
      `systemctl ${args.join(' ')} failed: ${text}\nthe identity and the configuration are in place; \`journalctl -u forage -o cat -n 20\` says why it does not start`,
    );
}

/** Answers the other members that are alive. Throws Failure, with what to look at, when there is none in time. */
export async function waitForMembers(
  run: string,
  bootstrap: readonly string[],
  machine: Machine,
): Promise<{ name: string; address: string }[]> {
  const endMs = machine.now() + WAIT_MS;
  let silence: string | undefined;
  for (;;) {
    try {
      const alive = (await membersSeenBy(run)).filter(({ state }) => state === 'alive');
      if (alive.length > 0) return alive;
      silence = undefined;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      silence = error.message;
    }
    if (machine.now() >= endMs) break;
    await machine.sleep(ASK_EVERY_MS);
  }
  if (silence !== undefined) throw new Failure(silence);
  throw new Failure(await alone(bootstrap, machine));
}

async function alone(bootstrap: readonly string[], machine: Machine): Promise<string> {
  const tried = await Promise.all(
    bootstrap.map(async (address) => ({ address, reason: await machine.unreachable(address) })),
  );
  const lines = [`the node runs, but sees no other member after ${WAIT_MS / 1000} s; it goes on trying`];
  for (const { address, reason } of tried)
    lines.push(
      reason === undefined
        ? `${address}: something listens there; if it is a member of this cluster, look at both clocks and at both logs`
        : `${address}: cannot be reached: ${reason}`,
    );
  lines.push(
    'members need TCP 7400 and 7401 open between them, both ways',
    '`journalctl -u forage -o cat -n 20` says who was refused and why; `forage peers` shows who is there',
  );
  return lines.join('\n');
}
