/**
 * Go 1.24 or newer, for what is built from Go modules: the host's, else Debian's newest, unpacked into the cache.
 *
 *     node hack/testbed/go.ts     prints the path of its command
 */
import { join } from 'node:path';
import { openSuite } from './debian.ts';
import { outcomeOf, UserError } from './run.ts';
import { tree } from './trees.ts';

const oldest = 24;
const newestSuite = 'sid';

export async function go(): Promise<string> {
  const host = await outcomeOf('go', ['env', 'GOVERSION']).catch(() => undefined);
  const minor = Number(/^go1\.(\d+)/.exec(host?.stdout ?? '')?.[1] ?? 0);
  if (minor >= oldest) return 'go';
  const debian = await tree('go', newestSuite, async (target) => {
    const suite = await openSuite(newestSuite);
    const release = /golang-1\.\d+-go/.exec(await suite.field('golang-go', 'Depends'))?.[0];
    if (!release) throw new UserError(`Debian ${newestSuite} has no golang-go`);
    await suite.unpack(['golang-go', release, release.replace(/-go$/, '-src')], target);
  });
  return join(debian, 'usr/bin/go');
}

if (import.meta.main) console.log(await go());
