/**
 * `forage cluster join`: makes this machine a member. Everything is read and checked before anything is written; then come the
 * identity, the configuration that names it, and the start. Run again, it goes on where it stopped.
 */
import { bootstrapAddresses } from './join/bootstrap.ts';
import { planBootstrap } from './join/config-file.ts';
import { installIdentity, readIdentity } from './join/identity.ts';
import { type Machine, thisMachine } from './join/machine.ts';
import { START, startUnits, waitForMembers } from './join/start.ts';
import { print } from './output.ts';

const SHOWN_MEMBERS = 5;

export interface JoinOptions {
  config: string;
  token?: string;
  from?: string;
  force?: boolean;
  /** `--no-start` makes it false. */
  start: boolean;
}

export async function joinCluster(
  bootstrap: readonly string[],
  options: JoinOptions,
  machine: Machine = thisMachine,
): Promise<void> {
  const addresses = bootstrapAddresses(bootstrap);
  const { config, write } = await planBootstrap(options.config, addresses);
  const identity = await readIdentity(options, machine.stdin);
  await installIdentity(identity, config.identity, options.force ?? false);
  print(`identity  ${identity.name}, valid until ${identity.expires.toISOString().slice(0, 10)}`);
  await write();
  print(`config    ${options.config}: members to ask are ${addresses.join(', ')}`);
  const hindrance = await whyNotStarted(options, machine);
  if (hindrance !== undefined) {
    print(hindrance);
    return;
  }
  await startUnits(machine);
  print('units     enabled and running; waiting for other members');
  const members = await waitForMembers(config.run, addresses, machine);
  const shown = members.slice(0, SHOWN_MEMBERS).map(({ name, address }) => `${name} (${address})`);
  print(`members   ${shown.join(', ')}${members.length > SHOWN_MEMBERS ? ', …' : ''}`);
  print(
    `${identity.name} is a member. \`forage doctor\` says what containerd still needs, \`forage peers\` who is there.`,
  );
}

async function whyNotStarted(options: JoinOptions, machine: Machine): Promise<string | undefined> {
  if (!options.start) return `Not started. To start it:\n  ${START}`;
  if (options.config !== machine.unitsRead)
    return `Not started: the units read ${machine.unitsRead}. To run the node with this file:\n  forage node --config ${options.config}`;
  if (await machine.hasSystemd()) return undefined;
  return `Not started: there is no systemd here. What runs forage instead has to start the volume server and\n  forage node --config ${options.config}`;
}
