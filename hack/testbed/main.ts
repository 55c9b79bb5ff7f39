/** The command line of hack/cluster: each subcommand parses its words and calls one function. */
import { Command, InvalidArgumentError } from 'commander';
import { maxNodes } from './model.ts';
import { say, UserError } from './run.ts';
import { load } from './store.ts';
import { parseMs, parseRate } from './units.ts';

interface Named {
  name: string;
}

/** A value's parser as commander wants it: its errors are about the argument. */
const checked =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text);
    } catch (error) {
      throw new InvalidArgumentError((error as Error).message);
    }
  };

const count = (text: string): number => {
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= maxNodes) return number;
  throw new UserError(`write a number from 1 to ${maxNodes}`);
};

const version = (text: string): '1.7' | '2.1' => {
  if (text === '1.7' || text === '2.1') return text;
  throw new UserError('there is 1.7 and 2.1');
};

const program = new Command('hack/cluster')
  .description(
    'Clusters of real nodes on this machine: Debian 13 in systemd-nspawn, each with its own network and disk.',
  )
  .enablePositionalOptions()
  .addHelpText(
    'after',
    '\nFirst steps:\n  hack/cluster up 2\n  hack/cluster exec n1 -- ctr version\n  hack/cluster down',
  );

/** A subcommand with the option that all have, and examples under its help. */
function command(signature: string, description: string, examples: string[]): Command {
  return program
    .command(signature)
    .description(description)
    .option('--name <cluster>', 'which cluster', 'default')
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  hack/cluster ${line}`).join('\n')}`);
}

command(
  'up',
  'Make a cluster: nodes n1..nN and a registry. The first time makes the Debian tree (minutes).',
  ['up 3', 'up 3 --name slow --uplink 10mbit --rtt 40', 'up 2 --name new --containerd 2.1'],
)
  .argument('<N>', 'how many nodes', checked(count))
  .option('--link <rate>', "each node's link, each direction (default: 1gbit)", checked(parseRate))
  .option('--uplink <rate>', "the registry's link, each direction (default: 100mbit)", checked(parseRate))
  .option('--rtt <ms>', 'round-trip time added between any two machines (default: none)', checked(parseMs))
  .option('--containerd <version>', '1.7 or 2.1', checked(version), '1.7')
  .action(async (nodes: number, options) => {
    const { up } = await import('./up.ts');
    const { name, link, uplink, rtt, containerd } = options;
    await up({ name, nodes, linkBits: link ?? 1e9, uplinkBits: uplink ?? 1e8, rttMs: rtt ?? 0, containerd });
  });

command('exec', "Run a command in a machine: its input, output and exit status are the command's.", [
  'exec n1 -- ctr images ls',
  "exec n2 --name slow -- sh -c 'cat > /tmp/file' < file",
  'exec registry -- du -sh /var/lib/docker-registry',
])
  .argument('<node>', 'n1, n2, ... or registry')
  .argument('<command...>', 'what to run; put -- before it')
  .passThroughOptions(false)
  .action(async (node: string, words: string[], options: Named) => {
    const { exec } = await import('./exec.ts');
    await exec(options.name, node, words);
  });

command('push', "Put an image into the cluster's registry, not over its uplink.", [
  'push /var/cache/images/python python:v1',
  'push nginx.tar library/nginx:1.27 --name slow',
])
  .argument('<path>', 'an OCI layout (folder) or an archive of one')
  .argument('<ref>', 'name:tag; the nodes pull registry:5000/name:tag')
  .action(async (path: string, ref: string, options: Named) => {
    const { push } = await import('./push.ts');
    await push(options.name, path, ref);
  });

command('cut', 'Separate a group of machines from all others. Several cuts may be in force.', [
  'cut n1 registry',
  'cut n3',
])
  .argument('<machine...>', 'who is in the group; registry may be')
  .action(async (group: string[], options: Named) => (await import('./operate.ts')).cut(options.name, group));

command('heal', 'End all cuts.', ['heal', 'heal --name slow']).action(async (options: Named) =>
  (await import('./operate.ts')).heal(options.name),
);

/** Subcommands about one machine. */
const onMachine = {
  kill: 'Power a machine off at once, as when its plug is pulled. Its disk stays.',
  start: "Boot a machine that is off, with this checkout's forage, and wait until it is ready.",
  reboot: 'Reboot a machine in order, and wait until it is ready again.',
  destroy:
    'Power a machine off at once and destroy its disk: all its images, containers and blocks are lost.',
} as const;
for (const verb of Object.keys(onMachine) as (keyof typeof onMachine)[]) {
  command(verb, onMachine[verb], [`${verb} n2`, `${verb} n2 --name slow`])
    .argument('<node>', 'n1, n2, ... or registry')
    .action(async (node: string, options: Named) => (await import('./operate.ts'))[verb](options.name, node));
}

command('status', 'Show a cluster and the state of its machines.', ['status', 'status --json'])
  .option('--json', 'for scripts', false)
  .action(async (options: Named & { json: boolean }) => {
    const { printStatus } = await import('./status.ts');
    printStatus(load(options.name), options.json);
  });

program
  .command('ls')
  .description('List all clusters.')
  .option('--json', 'for scripts', false)
  .addHelpText('after', '\nExamples:\n  hack/cluster ls\n  hack/cluster ls --json')
  .action(async (options: { json: boolean }) => (await import('./status.ts')).printList(options.json));

command('down', 'Remove a cluster with all its disks, whatever state it is in.', [
  'down',
  'down --name slow',
]).action(async (options: Named) => (await import('./operate.ts')).down(options.name));

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  say(`hack/cluster: ${error.message}`);
  process.exitCode = 1;
}
