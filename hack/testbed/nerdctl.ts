/** nerdctl, which Debian 13 has not. Version 2.2 works with containerd 1.7 and 2.1. */
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type GoCommand, goCommandTree } from './go-command.ts';

const nerdctl: GoCommand = {
  name: 'nerdctl',
  module: 'github.com/containerd/nerdctl/v2',
  version: 'v2.2.1',
  versionIn: 'pkg/version.Version',
  prepare: dropTestHelpers,
};

export const nerdctlTree = (): Promise<string[]> => goCommandTree(nerdctl);

/** They need a module that exists in nerdctl's repository only, and nothing but its tests needs them. */
async function dropTestHelpers(
  source: string,
  edit: (...flags: string[]) => Promise<unknown>,
): Promise<void> {
  const helpers = join(source, 'cmd/nerdctl/helpers');
  for (const file of readdirSync(helpers).filter((name) => name.startsWith('testing')))
    rmSync(join(helpers, file));
  const unpublished = 'github.com/containerd/nerdctl/mod/tigron';
  await edit(`-dropreplace=${unpublished}@v0.0.0`, `-droprequire=${unpublished}`);
}
