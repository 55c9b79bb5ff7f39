/** forage as the nodes see it: what hack/install makes of the checkout, kept apart from its npm modules, which change seldom. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, treesDir } from './paths.ts';
import { run } from './run.ts';
import { list, load } from './store.ts';
import { digest, digestOfFile, tree } from './trees.ts';

const install = join(checkout, 'hack/install');

/** What hack/install copies; one list for both: it prints it. */
async function sourceFiles(): Promise<string[]> {
  return (await run(install, ['--list'])).split('\n').filter(Boolean);
}

/** The two trees, topmost first. */
export async function forageTrees(): Promise<string[]> {
  const files = await sourceFiles();
  const contents = files.flatMap((file) => [file, readFileSync(join(checkout, file))]);
  const sources = await tree('forage', digest(readFileSync(install), ...contents), async (target) => {
    await run(install, ['--only', 'sources', target]);
  });
  const lock = digestOfFile(join(checkout, 'package-lock.json'));
  const modules = await tree('modules', lock, async (target) => {
    await run(install, ['--only', 'modules', target]);
  });
  return [sources, modules];
}

/** Removes trees of old sources that no cluster uses. A day's grace: a cluster may be just being made of one. */
export function removeOldTrees(): void {
  if (!existsSync(treesDir)) return;
  const used = new Set(list().flatMap((name) => treesOf(name)));
  const dayMs = 24 * 3600 * 1000;
  for (const name of readdirSync(treesDir)) {
    const path = join(treesDir, name);
    const old =
      /^(forage|modules)-/.test(name) && !used.has(path) && Date.now() - statSync(path).mtimeMs > dayMs;
    if (old) rmSync(path, { recursive: true });
  }
}

function treesOf(name: string): string[] {
  try {
    return load(name).trees;
  } catch {
    return []; // half made
  }
}
