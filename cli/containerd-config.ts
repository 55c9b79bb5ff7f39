/** `forage containerd-config`: what to add to containerd's configuration so that it uses the snapshotter. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'smol-toml';
import { Failure } from './errors.ts';
import { print } from './output.ts';
import { settings } from './settings.ts';

/** Format of containerd's file: 2 is understood by 1.x and 2.x, 3 by 2.x. They name the CRI plugin differently. */
export type FormatVersion = '2' | '3';

const run = promisify(execFile);
const TRANSFER = 'io.containerd.transfer.v1.local';

export async function containerdConfig(options: {
  version?: FormatVersion;
  config: string;
  file: string;
}): Promise<void> {
  const forage = await settings(options.config);
  const text = await readFile(options.file, 'utf8').catch(() => '');
  const existing = parseExisting(text, options.file);
  const version = options.version ?? existing.version ?? (await installedVersion());
  const header = existing.isEmpty ? `version = ${version}\n` : '';
  print(header + stanza(version, join(forage.run, 'snapshotter.sock'), forage.root));
}

/** What is in the file already, and cannot be there twice. Throws `Failure` when the stanza cannot simply be added. */
export function parseExisting(text: string, file: string): { isEmpty: boolean; version?: FormatVersion } {
  let document: Record<string, unknown>;
  try {
    document = parse(text);
  } catch (error) {
    throw new Failure(`${file} is not valid TOML: ${(error as Error).message.split('\n', 1)[0]}`);
  }
  const proxies = document.proxy_plugins as Record<string, unknown> | undefined;
  if (proxies?.forage !== undefined) throw new Failure(`${file} has [proxy_plugins.forage] already`);
  const plugins = document.plugins as Record<string, { unpack_config?: unknown } | undefined> | undefined;
  if (plugins?.[TRANSFER]?.unpack_config !== undefined) {
    throw new Failure(
      `${file} has an unpack_config; add an entry with snapshotter = "forage" to it, and the rest of \`forage containerd-config --file /dev/null\``,
    );
  }
  const version = document.version === 3 ? '3' : document.version === 2 ? '2' : undefined;
  return { isEmpty: Object.keys(document).length === 0, version };
}

async function installedVersion(): Promise<FormatVersion> {
  try {
    const { stdout } = await run('containerd', ['--version']);
    return formatFor(stdout);
  } catch {
    throw new Failure(
      'containerd is not here to tell which format it wants; give --version 2 (1.7) or 3 (2.x)',
    );
  }
}

/** From the output of `containerd --version`: `containerd <origin> v2.1.9 <revision>`, `containerd <origin> 1.7.24~ds1 …`. */
export function formatFor(versionLine: string): FormatVersion {
  const major = / v?(?<major>\d+)\.\d+\.\d+/.exec(versionLine)?.groups?.major;
  return Number(major) >= 2 ? '3' : '2';
}

export function stanza(version: FormatVersion, socket: string, root: string): string {
  const criPlugin =
    version === '2'
      ? '[plugins."io.containerd.grpc.v1.cri".containerd]'
      : "[plugins.'io.containerd.cri.v1.images']";
  return `
# forage: the snapshotter, and where it keeps its data (for the kubelet's view of disk space).
[proxy_plugins.forage]
  type = "snapshot"
  address = "${socket}"
  [proxy_plugins.forage.exports]
    root = "${root}"

# Snapshotters that the transfer service may unpack for. The list replaces containerd's own, hence overlayfs.
${['overlayfs', 'forage'].map(unpackEntry).join('\n')}

# For Kubernetes, make it the snapshotter of all pods:
# ${criPlugin}
#   snapshotter = "forage"
`;
}

function unpackEntry(snapshotter: string): string {
  return `[[plugins."${TRANSFER}".unpack_config]]
  platform = "${platform()}"
  snapshotter = "${snapshotter}"`;
}

/** As containerd names this machine's. */
function platform(): string {
  const architectures: Partial<Record<NodeJS.Architecture, string>> = {
    x64: 'amd64',
    arm: 'arm/v7',
    ppc64: 'ppc64le',
  };
  return `linux/${architectures[process.arch] ?? process.arch}`;
}
