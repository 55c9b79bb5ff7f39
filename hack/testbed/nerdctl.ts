/**
 * nerdctl, built from the Go module proxy: Debian 13 has none. Version 2.2 works with containerd 1.7 and 2.1. Where no Go
 * or no module can be had, the nodes do without it and `ctr` remains.
 */
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { go } from './go.ts';
import { cacheDir } from './paths.ts';
import { run, say } from './run.ts';
import { tree } from './trees.ts';

const module = 'github.com/containerd/nerdctl/v2';
const version = 'v2.2.1';

/** The tree with /usr/bin/nerdctl, or nothing, and then it says why. */
export async function nerdctlTree(): Promise<string[]> {
  try {
    return [await tree('nerdctl', version, build)];
  } catch (error) {
    say(`no nerdctl on the nodes, use ctr: ${(error as Error).message}`);
    return [];
  }
}

async function build(target: string): Promise<void> {
  const work = join(cacheDir, 'nerdctl-build');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(join(target, 'usr/bin'), { recursive: true });
  const env = {
    ...{ GOPATH: join(cacheDir, 'go'), GOCACHE: join(cacheDir, 'go-cache'), GOFLAGS: '-modcacherw' },
    ...{ GOTOOLCHAIN: 'local', CGO_ENABLED: '0' },
  };
  const compiler = await go();
  mkdirSync(work, { recursive: true });
  const downloaded = await run(compiler, ['mod', 'download', '-json', `${module}@${version}`], {
    env,
    cwd: work,
  });
  const source = join(work, 'source');
  cpSync(JSON.parse(downloaded).Dir, source, { recursive: true });
  await dropTestHelpers(compiler, source, env);
  const flags = ['-mod=mod', '-trimpath', '-ldflags', `-s -w -X ${module}/pkg/version.Version=${version}`];
  const output = join(target, 'usr/bin/nerdctl');
  await run(compiler, ['build', ...flags, '-o', output, './cmd/nerdctl'], { env, cwd: source });
  rmSync(work, { recursive: true });
}

/** They need a module that exists in nerdctl's repository only, and nothing but its tests needs them. */
async function dropTestHelpers(compiler: string, source: string, env: Record<string, string>): Promise<void> {
  const helpers = join(source, 'cmd/nerdctl/helpers');
  for (const file of readdirSync(helpers).filter((name) => name.startsWith('testing')))
    rmSync(join(helpers, file));
  const unpublished = 'github.com/containerd/nerdctl/mod/tigron';
  const edits = [`-dropreplace=${unpublished}@v0.0.0`, `-droprequire=${unpublished}`];
  await run(compiler, ['mod', 'edit', ...edits], { env, cwd: source });
}
