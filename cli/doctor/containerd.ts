/** containerd: whether it answers, is configured for forage, and has been restarted since. */
import { parse } from 'smol-toml';
import { openContainerd } from '../../node/containerd/containerd.ts';
import { type Check, type Finding, isAtLeast, missing, ok, versionIn } from './check.ts';

const TRANSFER = 'io.containerd.transfer.v1.local';
const ADD = 'forage containerd-config >> /etc/containerd/config.toml && systemctl restart containerd';
const ANSWER_TIMEOUT_MS = 3000;

const answers: Check = {
  name: 'containerd',
  async examine({ config }) {
    const containerd = openContainerd(config.containerd.address);
    try {
      const text = await containerd.version(AbortSignal.timeout(ANSWER_TIMEOUT_MS));
      const version = versionIn(text);
      if (version && isAtLeast(version, 1, 7)) return ok(`${text} at ${config.containerd.address}`);
      return missing(`${text}: 1.7 or newer is needed`, 'apt install containerd  # of Debian 13 or newer');
    } catch {
      const found = `does not answer at ${config.containerd.address}`;
      return missing(found, 'apt install containerd; systemctl enable --now containerd');
    } finally {
      containerd.close();
    }
  },
};

const configured: Check = {
  name: 'containerd configuration',
  async examine({ config, run }) {
    const { status, out } = await run('containerd', 'config', 'dump');
    if (status !== 0) return missing('`containerd config dump` fails', 'containerd config dump');
    return judgeConfiguration(out, `${config.run}/snapshotter.sock`);
  },
};

/** `dump` is the output of `containerd config dump`: the file and all defaults, in TOML. */
export function judgeConfiguration(dump: string, socket: string): Finding {
  const document = parse(dump) as {
    proxy_plugins?: Record<string, { type?: unknown; address?: unknown } | undefined>;
    plugins?: Record<string, { unpack_config?: { snapshotter?: unknown }[] } | undefined>;
  };
  const proxy = document.proxy_plugins?.forage;
  if (proxy === undefined) return missing('the snapshotter is not registered', ADD);
  if (proxy.type !== 'snapshot' || proxy.address !== socket) {
    return missing(
      `[proxy_plugins.forage] has type "${proxy.type}" and address "${proxy.address}", not "snapshot" and "${socket}"`,
      'forage containerd-config --file /dev/null  # shows what it should be',
    );
  }
  const unpacks = document.plugins?.[TRANSFER]?.unpack_config ?? [];
  if (unpacks.some(({ snapshotter }) => snapshotter === 'forage'))
    return ok('snapshotter and transfer service');
  return missing(
    'the transfer service does not unpack for forage: pulls fail with "no unpack platforms defined"',
    'forage containerd-config --file /dev/null  # shows the unpack_config to add',
  );
}

const loaded: Check = {
  name: 'containerd plugin',
  async examine({ config, run }) {
    const restart = 'systemctl restart containerd';
    const { status, text } = await run('ctr', '--address', config.containerd.address, 'plugins', 'ls');
    if (status !== 0) return missing('`ctr plugins ls` does not tell', restart);
    const row = text.split('\n').find((line) => /^io\.containerd\.snapshotter\.v1\s+forage\s/.test(line));
    if (row === undefined) return missing('the snapshotter is not loaded', restart);
    return /\sok\s*$/.test(row)
      ? ok('loaded')
      : missing(`loaded, but in state ${row.trim().split(/\s+/).at(-1)}`, restart);
  },
};

export const containerdChecks: Check[] = [answers, configured, loaded];
