/** `forage cluster`: the authority and the nodes' certificates. */
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import { print } from './output.ts';

export async function init(options: { dir: string; name: string; days: number }): Promise<void> {
  const files = await initCluster(options.dir, { clusterName: options.name, days: options.days });
  print(`${files.cert}\n${files.key}`);
}

export async function issue(
  name: string,
  options: { dir: string; out?: string; address?: string[]; days: number },
): Promise<void> {
  const { out, address: addresses, days } = options;
  const files = await issueNode(options.dir, name, { out, addresses, days });
  print(`${files.cert}\n${files.key}\n${files.ca}`);
}
