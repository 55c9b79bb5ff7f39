/** What a node has newer than Debian 13: packages of the next Debian, unpacked and not installed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSuite } from './debian.ts';
import type { Cluster } from './model.ts';
import { UserError } from './run.ts';
import { digest, tree } from './trees.ts';

const nextSuite = 'forky';
const criuPackages = ['criu', 'libcompel1', 'libnet9', 'libnl-3-200'];

/** The trees to lay over the base. */
export async function newerTrees(version: Cluster['containerd']): Promise<string[]> {
  const criu = await criuTree();
  return version === '1.7' ? [criu] : [criu, await containerdTree(version)];
}

/** From Linux 6.16 on, CRIU 4.1 fails on each internet socket: the kernel has no credentials to pass there any more, and says so. */
function criuTree(): Promise<string> {
  return tree('criu', digest(nextSuite, ...criuPackages), async (target) => {
    const suite = await openSuite(nextSuite);
    await suite.unpack(criuPackages, target);
  });
}

function containerdTree(version: Cluster['containerd']): Promise<string> {
  return tree('containerd', version, async (target) => {
    const suite = await openSuite(nextSuite);
    const found = await suite.field('containerd', 'Version');
    if (!found.startsWith('2.1.'))
      throw new UserError(`Debian ${nextSuite} has containerd ${found}, no longer 2.1`);
    await suite.unpack(['containerd'], target);
    rmSync(join(target, 'etc'), { recursive: true, force: true }); // its configuration is ours
  });
}
