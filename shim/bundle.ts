/**
 * The bundle's config.json, which containerd has written for this one start and runc is about to read. A container with a network namespace of
 * its own gets a hook that brings loopback up, before CRIU restores any socket.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';

const hook = v.looseObject({ path: v.string() });

/** The parts of the OCI runtime specification that are used; all others stay as they are. */
const configSchema = v.looseObject({
  root: v.looseObject({ path: v.string() }),
  hooks: v.optional(v.looseObject({ createRuntime: v.optional(v.array(hook)) })),
  linux: v.optional(
    v.looseObject({
      namespaces: v.optional(v.array(v.looseObject({ type: v.string(), path: v.optional(v.string()) }))),
    }),
  ),
});

type Config = v.InferOutput<typeof configSchema>;

const LOOPBACK_UP = fileURLToPath(new URL('loopback-up', import.meta.url));

/** Answers where the root file system is. */
export async function rootfsOf(bundle: string): Promise<string> {
  const { path } = (await readConfig(bundle)).root;
  return isAbsolute(path) ? path : join(bundle, path);
}

export async function bringLoopbackUp(bundle: string): Promise<void> {
  const config = await readConfig(bundle);
  if (!hasOwnNetwork(config)) return;
  const before = config.hooks?.createRuntime ?? [];
  if (before.some(({ path }) => path === LOOPBACK_UP)) return;
  const hooks = { ...config.hooks, createRuntime: [{ path: LOOPBACK_UP, args: ['loopback-up'] }, ...before] };
  const fresh = join(bundle, 'config.json.forage');
  await writeFile(fresh, JSON.stringify({ ...config, hooks }), { mode: 0o600 });
  await rename(fresh, join(bundle, 'config.json'));
}

async function readConfig(bundle: string): Promise<Config> {
  return v.parse(configSchema, JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')));
}

/** One that nobody has prepared. */
function hasOwnNetwork({ linux }: Config): boolean {
  return linux?.namespaces?.some(({ type, path }) => type === 'network' && !path) ?? false;
}
