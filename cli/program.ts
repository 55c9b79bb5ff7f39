/**
 * What `forage` understands. Only words are here: a command's code is imported when it is run, so that help and the small
 * commands start quickly. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
 */
import { readFileSync } from 'node:fs';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { explain } from './errors.ts';

const CONFIG_FILE = '/etc/forage/config.toml';

/** Runs one command line (without the program's name). Answers the exit status; errors have been printed. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    let status = 0;
    await program((code) => {
      status = code;
    }).parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { status, lines } = explain(error);
    for (const line of lines) process.stderr.write(`forage: ${line}\n`);
    return status;
  }
}

/** `exit` takes a status other than 0 from a command that has said why. */
function program(exit: (status: number) => void): Command {
  const forage = new Command('forage')
    .description("Containers start from their neighbours' blocks.")
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(forage --help lists the commands; forage COMMAND --help explains one)')
    .configureHelp({ helpWidth: 100, showGlobalOptions: false });
  addNode(forage);
  addStatus(forage);
  addDoctor(forage, exit);
  addConfig(forage);
  addContainerdConfig(forage);
  addCluster(forage);
  return forage;
}

function addNode(forage: Command): void {
  forage
    .command('node')
    .description('run the node: what forage.service does')
    .option('--config <FILE>', 'configuration', CONFIG_FILE)
    .addHelpText(
      'after',
      `
Serves containerd, the neighbours and these commands, until SIGTERM. Waits neither for containerd nor for the network.
It may be ended at any time, even by SIGKILL: running containers do not notice, and reads of blocks that are not here wait
until it is back. The log goes to standard output, one JSON object a line.

  systemctl restart forage        the usual way to make it read its configuration again
  journalctl -u forage -o cat -f  follow its log`,
    )
    .action(async ({ config }) => (await import('./node.ts')).runNode(config));
}

function addStatus(forage: Command): void {
  forage
    .command('status')
    .description('what this node has, gives and takes')
    .option('--config <FILE>', 'configuration, for where the node listens', CONFIG_FILE)
    .option('--json', 'for scripts: one JSON object, sizes in bytes, times in milliseconds')
    .addHelpText(
      'after',
      `
Counters run since the node process started. Fails (1) when the node does not answer.

  forage status
  forage status --json | jq .fetched_bytes`,
    )
    .action(async (options) => (await import('./status.ts')).status(options));
  forage
    .command('volumes')
    .description('the layers that are here as volumes, and how much of each')
    .option('--config <FILE>', 'configuration, for where the node listens', CONFIG_FILE)
    .option('--json', 'for scripts: one JSON array')
    .addHelpText(
      'after',
      `
A volume that is not complete works as well: what is missing comes from neighbours when it is read.
It looks at every block of every volume, so do not call it every second.

  forage volumes
  forage volumes --json | jq -r '.[] | select(.complete | not) | .chain_id'`,
    )
    .action(async (options) => (await import('./volumes.ts')).volumes(options));
}

function addDoctor(forage: Command, exit: (status: number) => void): void {
  forage
    .command('doctor')
    .description('look whether this machine has all that forage needs, and say how to get it')
    .option('--config <FILE>', 'configuration', CONFIG_FILE)
    .option('--json', 'for scripts: {"ok": …, "checks": […]}')
    .addHelpText(
      'after',
      `
Changes nothing that stays: it makes one small EROFS mount in a temporary folder and removes it. Wants root.
Fails (1) when something required is missing; a warning is something that forage can do without, at a price that is told.

  forage doctor
  forage doctor --json | jq -r '.checks[] | select(.state == "missing") | .fix'`,
    )
    .action(async (options) => {
      if (!(await (await import('./doctor.ts')).doctor(options))) exit(1);
    });
}

function addConfig(forage: Command): void {
  forage
    .command('config')
    .description('print a configuration file with every option explained, or check one')
    .addOption(new Option('--check <FILE>', 'check this file and print nothing if it is right'))
    .addOption(new Option('--markdown', 'print docs/configuration.md').conflicts('check'))
    .addHelpText(
      'after',
      `
Nothing is written but to standard output.

  forage config > /etc/forage/config.toml
  forage config --check /etc/forage/config.toml`,
    )
    .action(async (options) => (await import('./config.ts')).config(options));
}

function addContainerdConfig(forage: Command): void {
  forage
    .command('containerd-config')
    .description("print what to add to containerd's configuration")
    .addOption(
      new Option(
        '--version <FORMAT>',
        "format of containerd's file: 2 (containerd 1.7) or 3 (containerd 2); default: that of the file, or of the containerd that is here",
      ).choices(['2', '3']),
    )
    .option('--config <FILE>', "forage's configuration, for its socket and its root", CONFIG_FILE)
    .option('--file <FILE>', "containerd's configuration, only read", '/etc/containerd/config.toml')
    .addHelpText(
      'after',
      `
Registers the snapshotter, and lets the transfer service unpack for it; overlayfs stays the default. Restarting containerd
does not end containers. A file that has an unpack_config of its own must be edited by hand, which this command will say.

  forage containerd-config >> /etc/containerd/config.toml
  systemctl restart containerd
  nerdctl run --snapshotter forage …`,
    )
    .action(async (options) => (await import('./containerd-config.ts')).containerdConfig(options));
}

function addCluster(forage: Command): void {
  const cluster = forage
    .command('cluster')
    .description("the cluster's certificate authority and the nodes' certificates")
    .helpCommand(false);
  cluster
    .command('init')
    .description('make a certificate authority for a new cluster')
    .requiredOption('--dir <DIR>', 'where it is kept: ca.key and ca.crt')
    .option('--name <NAME>', 'name of the cluster, shown in certificates', 'forage')
    .option('--days <DAYS>', 'how long it is valid', wholeNumber, 3650)
    .addHelpText(
      'after',
      `
Whoever reads ca.key can join the cluster: keep the folder off the nodes, and back it up. Nothing is overwritten.

  forage cluster init --dir ./cluster`,
    )
    .action(async (options) => (await import('./cluster.ts')).init(options));
  cluster
    .command('issue')
    .description('issue the certificate of one node')
    .argument('<NAME>', "the node's name, one of a kind in the cluster: a-z, 0-9, dots and dashes")
    .requiredOption('--dir <DIR>', 'folder of the authority')
    .option('--out <DIR>', 'where node.crt, node.key and ca.crt go (default: DIR/NAME of the authority)')
    .option('--address <HOST...>', 'addresses and host names to put into the certificate')
    .option('--days <DAYS>', 'how long it is valid, at most as long as the authority', wholeNumber, 730)
    .addHelpText(
      'after',
      `
Copy the three files to /etc/forage on that node and to nowhere else. Nothing is overwritten: to renew, issue into a new
folder and replace the files, then restart forage. There is no revocation: a stolen key means a new authority.

  forage cluster issue n1 --dir ./cluster --out ./n1
  scp ./n1/* root@n1:/etc/forage/`,
    )
    .action(async (name, options) => (await import('./cluster.ts')).issue(name, options));
}

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}

function version(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
