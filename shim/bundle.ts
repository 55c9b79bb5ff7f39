/**
 * The bundle's config.json, which containerd has written for this one start and runc is about to read. A container with a network namespace of
 * its own gets a hook that brings loopback up, and makes the network's settings, before CRIU restores any socket. Options of CRIU that this runc
 * has no flags for go into a file that an annotation names (runc's docs/checkpoint-restore.md).
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Network } from './connections.ts';

const hook = v.looseObject({ path: v.string() });

/** The parts of the OCI runtime specification that are used; all others stay as they are. */
const configSchema = v.looseObject({
  root: v.looseObject({ path: v.string() }),
  annotations: v.optional(v.record(v.string(), v.string())),
  hooks: v.optional(v.looseObject({ createRuntime: v.optional(v.array(hook)) })),
  linux: v.optional(
    v.looseObject({
      sysctl: v.optional(v.record(v.string(), v.string())),
      namespaces: v.optional(v.array(v.looseObject({ type: v.string(), path: v.optional(v.string()) }))),
    }),
  ),
});

type Config = v.InferOutput<typeof configSchema>;

const CRIU_CONFIG = 'org.criu.config';
const MACHINES_CRIU_CONFIG = '/etc/criu/runc.conf';
const NETWORK_UP = fileURLToPath(new URL('network-up', import.meta.url));

/** Answers where the root file system is. */
export async function rootfsOf(bundle: string): Promise<string> {
  const { path } = (await readConfig(bundle)).root;
  return isAbsolute(path) ? path : join(bundle, path);
}

export interface Restoring {
  /** Lines for CRIU's configuration, beside those that are there. */
  criu: readonly string[];
  /** For the file with them. */
  workPath: string;
}

/** Changes the configuration for a restore; doing it again changes nothing. */
export async function prepareRestore(bundle: string, { criu, workPath }: Restoring): Promise<void> {
  const before = await readConfig(bundle);
  const config = criu.length > 0 ? await withCriu(before, criu, workPath) : before;
  const changed = withNetworkUp(config);
  if (changed === before) return;
  const fresh = join(bundle, 'config.json.forage');
  await writeFile(fresh, JSON.stringify(changed), { mode: 0o600 });
  await rename(fresh, join(bundle, 'config.json'));
}

/**
 * Whether its processes may have a userfaultfd that tells of their forks: in a user namespace of its own, new or shared, the kernel gives them
 * none, whatever their capabilities there.
 */
export async function mayBeLazy(bundle: string): Promise<boolean> {
  const { linux } = await readConfig(bundle);
  return !linux?.namespaces?.some(({ type }) => type === 'user');
}

/** Where its processes will find their network. */
export async function networkOf(bundle: string): Promise<Network> {
  return networkIn(await readConfig(bundle));
}

function networkIn({ linux }: Config): Network {
  const own = linux?.namespaces?.find(({ type }) => type === 'network');
  if (!own) return { of: 'machine' };
  return own.path ? { of: 'path', path: own.path } : { of: 'runc' };
}

/** The annotation's file is read instead of the machine's: it has the lines of that, too. */
async function withCriu(config: Config, lines: readonly string[], workPath: string): Promise<Config> {
  const path = join(workPath, 'criu.conf');
  const theirs = config.annotations?.[CRIU_CONFIG] ?? MACHINES_CRIU_CONFIG;
  if (theirs === path) return config;
  const before = await readFile(theirs, 'utf8').catch(() => '');
  await writeFile(path, [before, ...lines, ''].join('\n'), { mode: 0o600 });
  return { ...config, annotations: { ...config.annotations, [CRIU_CONFIG]: path } };
}

function withNetworkUp(config: Config): Config {
  if (networkIn(config).of !== 'runc') return config;
  const before = config.hooks?.createRuntime ?? [];
  if (before.some(({ path }) => path === NETWORK_UP)) return config;
  const settings = Object.entries(config.linux?.sysctl ?? {})
    .filter(([name]) => /^net[./]/.test(name))
    .map(([name, value]) => `${name}=${value}`);
  const createRuntime = [{ path: NETWORK_UP, args: ['network-up', ...settings] }, ...before];
  return { ...config, hooks: { ...config.hooks, createRuntime } };
}

async function readConfig(bundle: string): Promise<Config> {
  return v.parse(configSchema, JSON.parse(await readFile(join(bundle, 'config.json'), 'utf8')));
}
