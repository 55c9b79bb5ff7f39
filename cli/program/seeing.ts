/** Commands that show the node and the cluster, and change nothing. */
import type { Command } from 'commander';
import { asksNode } from './common.ts';

export function addSeeing(forage: Command): void {
  addNodeViews(forage);
  addPeers(forage);
}

function addNodeViews(forage: Command): void {
  const status = forage.command('status').description('what this node has, gives and takes');
  asksNode(status, 'one JSON object, sizes in bytes, times in milliseconds')
    .addHelpText(
      'after',
      `
Counters run since the node process started. Fails (1) when the node does not answer.

  forage status
  forage status --json | jq .fetched_bytes`,
    )
    .action(async (options) => (await import('../status.ts')).status(options));
  const volumes = forage
    .command('volumes')
    .description('the layers that are here as volumes, and how much of each');
  asksNode(volumes, 'one JSON array')
    .addHelpText(
      'after',
      `
A volume that is not complete works as well: what is missing comes from neighbours when it is read.
It looks at every block of every volume, so do not call it every second.

  forage volumes
  forage volumes --json | jq -r '.[] | select(.complete | not) | .chain_id'`,
    )
    .action(async (options) => (await import('../volumes.ts')).volumes(options));
}

function addPeers(forage: Command): void {
  const peers = forage.command('peers').description('all nodes of the cluster, as this one sees them');
  asksNode(peers, 'one JSON array, sizes in bytes, times in milliseconds')
    .addHelpText(
      'after',
      `
This node comes first. A member is "suspect" when it has not been heard for a while, and "gone" when that has lasted: then its
blocks get new owners. "left" has said good-bye. LINK is this node's own connection to it. OWNS is the part of all blocks that
it has to keep; with two replicas all parts add up to 200 %. Rates are of blocks fetched from it, "-" before there were any.

  forage peers
  forage peers --json | jq -r '.[] | select(.state == "gone") | .name'`,
    )
    .action(async (options) => (await import('../peers.ts')).peers(options));
}
