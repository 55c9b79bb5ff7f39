/** The cluster's certificates, made once by forage's own commands and handed to the nodes with their other files. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './model.ts';
import { checkout } from './paths.ts';
import { outcomeOf, say } from './run.ts';
import { clusterDir } from './store.ts';

const authorityOf = (cluster: string): string => join(clusterDir(cluster), 'authority');
const issuedTo = (cluster: string, node: string): string => join(clusterDir(cluster), 'issued', node);

/** Makes the authority and every node's certificate. Without them forage does not start, but the cluster does. */
export async function makeCertificates(cluster: Cluster, nodes: string[]): Promise<void> {
  const authority = authorityOf(cluster.name);
  const steps = [
    ['init', '--dir', authority],
    ...nodes.map((node) => [
      'issue',
      node,
      '--dir',
      authority,
      '--out',
      issuedTo(cluster.name, node),
      '--address',
      node,
    ]),
  ];
  for (const step of steps) {
    const made = await outcomeOf(process.execPath, [join(checkout, 'cli/main.ts'), 'cluster', ...step]);
    if (made.status === 0) continue;
    say(
      `no certificates, so forage will not run: "forage cluster ${step[0]}" failed: ${made.stderr.trim().split('\n').at(-1)}`,
    );
    return;
  }
}

/** The private key stays readable for root alone: the copy keeps the modes. */
export function copyCertificates(cluster: string, node: string, target: string): void {
  if (existsSync(issuedTo(cluster, node))) cpSync(issuedTo(cluster, node), target, { recursive: true });
}
