/** The node process itself, and what makes a machine ready for it. */
import { type Command, Option } from 'commander';
import { CONFIG_FILE, type Exit } from './common.ts';

export function addNode(forage: Command): void {
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
    .action(async ({ config }) => (await import('../node.ts')).runNode(config));
}

export function addMachine(forage: Command, exit: Exit): void {
  addDoctor(forage, exit);
  addConfig(forage);
  addContainerdConfig(forage);
}

function addDoctor(forage: Command, exit: Exit): void {
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
      if (!(await (await import('../doctor.ts')).doctor(options))) exit(1);
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
    .action(async (options) => (await import('../config.ts')).config(options));
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
    .action(async (options) => (await import('../containerd-config.ts')).containerdConfig(options));
}
