/** `forage cluster`: who is a member. */
import { type Command, Option } from 'commander';
import { CONFIG_FILE, wholeNumber } from './common.ts';

export function addCluster(forage: Command): void {
  const cluster = forage
    .command('cluster')
    .description("the cluster's authority, its nodes' certificates, joining")
    .helpCommand(false);
  addInit(cluster);
  addIssue(cluster);
  addJoin(cluster);
  addRevoke(cluster);
}

function addInit(cluster: Command): void {
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
    .action(async (options) => (await import('../cluster.ts')).init(options));
}

function addIssue(cluster: Command): void {
  cluster
    .command('issue')
    .description('issue the certificate of one node')
    .argument('<NAME>', "the node's name, one of a kind in the cluster: a-z, 0-9, dots and dashes")
    .requiredOption('--dir <DIR>', 'folder of the authority')
    .option('--out <DIR>', 'where node.crt, node.key and ca.crt go (default: DIR/NAME of the authority)')
    .option(
      '--token [FILE]',
      'also all three in one line of text, for `cluster join`: to FILE or to standard output',
    )
    .option('--address <HOST...>', 'addresses and host names to put into the certificate')
    .option('--days <DAYS>', 'how long it is valid, at most as long as the authority', wholeNumber, 730)
    .addHelpText(
      'after',
      `
The three files, or the token, go to that node and to nowhere else: whoever has them is that node. Without FILE the token is
all that is on standard output, for a pipe. Nothing is overwritten: to renew, issue into a new folder and join with that
and --force.
A stolen key is ended by \`forage cluster revoke\`, which wants node.crt: keep that.

  forage cluster issue n4 --dir ./cluster --token | ssh root@n4 forage cluster join 10.0.0.1 --token -
  forage cluster issue n4 --dir ./cluster --token n4.token
  forage cluster issue n4 --dir ./cluster --out ./n4`,
    )
    .action(async (name, options) => (await import('../cluster.ts')).issue(name, options));
}

function addJoin(cluster: Command): void {
  cluster
    .command('join')
    .description('make this machine a member of a cluster')
    .argument('<BOOTSTRAP...>', 'one member or more, by host or host:port (default port: 7401)')
    .addOption(
      new Option('--token <FILE>', 'what `cluster issue --token` has made; - is standard input').conflicts(
        'from',
      ),
    )
    .option('--from <DIR>', 'instead of a token: a folder with node.crt, node.key and ca.crt')
    .option('--config <FILE>', 'configuration to write into; made when it is not there', CONFIG_FILE)
    .option('--force', 'replace another identity that this machine has')
    .option('--no-start', 'start nothing')
    .addHelpText(
      'after',
      `
Installs the identity where the configuration says (/etc/forage), sets bootstrap in [peers] and nothing else in the file,
enables and starts the units (a node that runs is restarted, which containers do not notice), and waits up to 15 seconds for
another member. Everything is checked before anything is written. Run again, it goes on where it stopped. Wants root.

The token holds the node's private key. It is never an argument; remove its file afterwards. TCP 7400 and 7401 have to be open
between the nodes. The name of a machine is in its certificate; with --force under another name, drain the node before.

  forage cluster join 10.0.0.1 --token n4.token && rm n4.token
  forage cluster join n1.example n2.example:7401 --token - < n4.token
  forage cluster join 10.0.0.1 --from ./n4`,
    )
    .action(async (bootstrap, options) => (await import('../join.ts')).joinCluster(bootstrap, options));
}

function addRevoke(cluster: Command): void {
  cluster
    .command('revoke')
    .description('end the certificate of a node that was lost, stolen or broken into')
    .argument('[NAME]', "the node's name")
    .option('--dir <DIR>', 'folder of the authority')
    .option('--cert <FILE>', "the node's certificate (default: NAME/node.crt in the authority's folder)")
    .option('--out <FILE>', 'write the signed revocation to a file instead of giving it to the node')
    .addOption(
      new Option('--record <FILE>', "give such a file to this machine's node").conflicts([
        'dir',
        'cert',
        'out',
      ]),
    )
    .option('--config <FILE>', 'configuration, for where the node listens', CONFIG_FILE)
    .addHelpText(
      'after',
      `
CANNOT BE TAKEN BACK. Nothing that the node's key signs or has ever signed counts any more, and nobody talks to it; what the
cluster believed on its word alone is forgotten. It holds for all certificates of that key. A node that was renewed has
several keys: revoke each, with --cert. The name may be used again, with a new certificate.

The authority's folder should be on no node. So sign where it is, and hand the file to any one node; the others hear of it
from there:
  forage cluster revoke n4 --dir ./cluster --out n4.revoked
  scp n4.revoked root@n1: && ssh root@n1 forage cluster revoke --record n4.revoked

Where both are on one machine, that is one command:
  forage cluster revoke n4 --dir ./cluster`,
    )
    .action(async (name, options) => (await import('../revoke.ts')).revoke(name, options));
}
