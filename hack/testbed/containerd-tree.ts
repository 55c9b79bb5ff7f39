/** containerd 2.1 over Debian 13's 1.7: the package of the next Debian, unpacked and not installed. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { openSuite } from './debian.ts';
import type { Cluster } from './model.ts';
import { UserError } from './run.ts';
import { tree } from './trees.ts';

const nextSuite = 'forky';

/** The trees to lay over the base for that version: none for Debian 13's own. */
export async function containerdTrees(version: Cluster['containerd']): Promise<string[]> {
  if (version === '1.7') return [];
  const made = await tree('containerd', version, async (target) => {
    const suite = await openSuite(nextSuite);
    const found = await suite.field('containerd', 'Version');
    if (!found.startsWith('2.1.'))
      throw new UserError(`Debian ${nextSuite} has containerd ${found}, no longer 2.1`);
    await suite.unpack(['containerd'], target);
    rmSync(join(target, 'etc'), { recursive: true, force: true }); // its configuration is ours
  });
  return [made];
}
