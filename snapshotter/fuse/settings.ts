/**
 * What the volume server needs to know. The holder has it read from the configuration file once (prepare.ts) and hands
 * it to each server in the environment, so that the server itself stays small.
 *
 * Only the keys below are looked at; all others are the node process's to check. Defaults are those of
 * docs/configuration.md.
 */
import { join } from 'node:path';

export interface Settings {
  /** Holds `blocks/` and `volumes/`. */
  root: string;
  /** Holds the mount `volumes/` and the socket `volumes.sock`. */
  run: string;
  transport: 'kernel' | 'fuse-native';
  /** How long a read waits for a block. */
  waitSeconds: number;
}

const DEFAULTS: Settings = {
  root: '/var/lib/forage',
  run: '/run/forage',
  transport: 'kernel',
  waitSeconds: 600,
};

/** No quote, blank or comma: fit for the shell and for mount options. */
const PLAIN_PATH = /^(?:\/[\w.@+-]+)+$/;

/** Checks values that came as text or from TOML. Throws an `Error` that names the bad one. */
function check(values: { [K in keyof Settings]: unknown }): Settings {
  const { root, run, transport, waitSeconds } = values;
  const seconds = Number(waitSeconds);
  if (typeof root !== 'string' || !PLAIN_PATH.test(root)) throw new Error(`root is no plain path: ${root}`);
  if (typeof run !== 'string' || !PLAIN_PATH.test(run)) throw new Error(`run is no plain path: ${run}`);
  if (transport !== 'kernel' && transport !== 'fuse-native') {
    throw new Error(`fuse.transport is neither "kernel" nor "fuse-native": ${transport}`);
  }
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > 86_400) {
    throw new Error(`fetch.wait_seconds is no whole number from 1 to 86400: ${waitSeconds}`);
  }
  return { root, run, transport, waitSeconds: seconds };
}

/** From FORAGE_ROOT, FORAGE_RUN, FORAGE_TRANSPORT and FORAGE_WAIT_SECONDS. */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv): Settings {
  return check({
    root: env.FORAGE_ROOT ?? DEFAULTS.root,
    run: env.FORAGE_RUN ?? DEFAULTS.run,
    transport: env.FORAGE_TRANSPORT ?? DEFAULTS.transport,
    waitSeconds: env.FORAGE_WAIT_SECONDS ?? DEFAULTS.waitSeconds,
  });
}

/** From the text of a configuration file. */
export async function settingsFromToml(text: string): Promise<Settings> {
  const { parse } = await import('smol-toml');
  const file = parse(text);
  const table = (name: string): Record<string, unknown> => {
    const value = file[name] ?? {};
    if (typeof value !== 'object') throw new Error(`${name} is no table`);
    return value as Record<string, unknown>;
  };
  return check({
    root: file.root ?? DEFAULTS.root,
    run: file.run ?? DEFAULTS.run,
    transport: table('fuse').transport ?? DEFAULTS.transport,
    waitSeconds: table('fetch').wait_seconds ?? DEFAULTS.waitSeconds,
  });
}

/** Assignments for the shell; `check` has made sure that no value needs quotes. */
export function toShell({ root, run, transport, waitSeconds }: Settings): string {
  return `FORAGE_ROOT=${root} FORAGE_RUN=${run} FORAGE_TRANSPORT=${transport} FORAGE_WAIT_SECONDS=${waitSeconds}`;
}

export function pathsOf({ root, run }: Settings) {
  return {
    blocks: join(root, 'blocks'),
    volumes: join(root, 'volumes'),
    mountPoint: join(run, 'volumes'),
    socket: join(run, 'volumes.sock'),
  };
}
