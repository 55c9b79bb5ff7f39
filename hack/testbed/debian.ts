/** Debian's packages, from the mirror that the host's apt is configured with: it is never written down here. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from './paths.ts';
import { run, UserError } from './run.ts';
import { digest, tree } from './trees.ts';

export const baseSuite = 'trixie';

const basePackages = [
  ...[
    'systemd',
    'systemd-sysv',
    'dbus',
    'kmod',
    'procps',
    'iproute2',
    'iputils-ping',
    'ca-certificates',
    'curl',
  ],
  ...['containerd', 'runc', 'criu', 'containernetworking-plugins', 'iptables', 'skopeo', 'docker-registry'],
  ...['erofs-utils', 'fuse3', 'libfuse2t64', 'attr', 'python3-minimal'],
];

export async function mirror(): Promise<string> {
  const filters = ['Created-By: Packages', 'Origin: Debian', 'Label: Debian'];
  const uris = (await run('apt-get', ['indextargets', '--format', '$(REPO_URI)', ...filters])).split('\n');
  if (uris[0]) return uris[0];
  throw new UserError('apt knows no Debian mirror: run apt-get update, or add one to its sources');
}

/** Debian 13 with all that a node needs; nothing of forage. */
export const baseTree = (): Promise<string> =>
  tree('base', digest(baseSuite, ...basePackages), async (target) => {
    mkdirSync(cacheDir, { recursive: true });
    await run('debootstrap', ['--variant=minbase', baseSuite, target, await mirror()]);
    const policy = join(target, 'usr/sbin/policy-rc.d'); // no service starts while it is installed
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
    const install = [
      'apt-get',
      '--option=DPkg::Options::=--force-unsafe-io',
      'install',
      '--yes',
      '--no-install-recommends',
    ];
    await run('chroot', [target, ...install, ...basePackages], {
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    await run('chroot', [target, 'apt-get', 'clean']);
    rmSync(policy);
    rmSync(join(target, 'etc/machine-id'), { force: true }); // each machine gets its own
  });

/** Another suite's packages, by an apt whose lists and cache are its own; nothing is installed. */
export interface Suite {
  /** One field of the newest version of a package, such as "Version"; empty if there is none. */
  field(name: string, field: string): Promise<string>;
  unpack(packages: string[], target: string): Promise<void>;
}

export async function openSuite(name: string): Promise<Suite> {
  const apt = join(cacheDir, 'apt', name);
  for (const folder of ['lists/partial', 'archives/partial', 'parts'])
    mkdirSync(join(apt, folder), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${await mirror()} ${name} main\n`);
  writeFileSync(join(apt, 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': join(apt, 'parts'),
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::State::status': join(apt, 'status'),
    'Dir::Cache': apt,
    'Acquire::Languages': 'none',
    'APT::Sandbox::User': 'root',
  };
  const options = Object.entries(settings).map(([key, value]) => `--option=${key}=${value}`);
  await run('apt-get', [...options, 'update', '--quiet']);
  return {
    async field(packageName, field) {
      const shown = await run('apt-cache', [...options, 'show', '--no-all-versions', packageName]);
      return new RegExp(`^${field}: (.*)$`, 'm').exec(shown)?.[1] ?? '';
    },
    async unpack(packages, target) {
      const debs = mkdtempSync(join(apt, 'debs-'));
      try {
        await run('apt-get', [...options, 'download', '--quiet', ...packages], { cwd: debs });
        for (const deb of readdirSync(debs)) await run('dpkg-deb', ['--extract', join(debs, deb), target]);
      } finally {
        rmSync(debs, { recursive: true });
      }
    },
  };
}
