/** Commands that Debian has not, built from the Go module proxy. Where no Go or no module can be had, the nodes do without. */
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { go } from './go.ts';
import { cacheDir } from './paths.ts';
import { run, say } from './run.ts';
import { tree } from './trees.ts';

export interface GoCommand {
  /** Of the command; its package is `./cmd/<name>`. */
  name: string;
  module: string;
  version: string;
  /** The variable that holds its version. */
  versionIn: string;
  /** Changes the module's source before it is built; `edit` is `go mod edit`. */
  prepare?: (source: string, edit: (...flags: string[]) => Promise<unknown>) => Promise<void>;
}

/** The tree with /usr/bin/<name>, or nothing, and then it says why. */
export async function goCommandTree(command: GoCommand): Promise<string[]> {
  try {
    return [await tree(command.name, command.version, (target) => build(command, target))];
  } catch (error) {
    say(`no ${command.name} on the nodes: ${(error as Error).message}`);
    return [];
  }
}

async function build(command: GoCommand, target: string): Promise<void> {
  const { name, module, version, versionIn } = command;
  const work = join(cacheDir, `${name}-build`);
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
  const edit = (...flags: string[]) => run(compiler, ['mod', 'edit', ...flags], { env, cwd: source });
  await command.prepare?.(source, edit);
  const flags = ['-mod=mod', '-trimpath', '-ldflags', `-s -w -X ${module}/${versionIn}=${version}`];
  const output = join(target, 'usr/bin', name);
  await run(compiler, ['build', ...flags, '-o', output, `./cmd/${name}`], { env, cwd: source });
  rmSync(work, { recursive: true });
}
