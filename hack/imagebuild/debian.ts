/** The scripts that make layers out of Debian packages. */

import { mirror } from '../testbed/debian.ts';
import { run } from '../testbed/run.ts';
import { cachePaths } from './cache.ts';
import { environmentInside } from './rootfs.ts';

const SUITE = 'trixie';

/** What no container needs, as paths that dpkg leaves out of later installations too. */
const LEFT_OUT = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*'];

/** Maintainer scripts link manual pages here, and fail where there is no folder. */
const MAN_SECTIONS = [1, 2, 3, 4, 5, 6, 7, 8].map((section) => `/usr/share/man/man${section}`).join(' ');

const APT_SETTINGS = [
  'APT::Install-Recommends "false";',
  'APT::Sandbox::User "root";',
  'APT::Keep-Downloaded-Packages "true";',
  'Acquire::Languages "none";',
  'Dir::Cache::pkgcache "";',
  'Dir::Cache::srcpkgcache "";',
];

/** Run in a fresh debootstrap: takes out what can be spared, sets up dpkg and apt to keep it out. */
export const debianScript = `
  rm -rf ${LEFT_OUT.join(' ')} /var/cache/apt/* /var/lib/apt/lists/* /var/log/* /var/cache/debconf/*-old /tmp/*
  mkdir -p /var/cache/apt/archives /var/lib/apt/lists ${MAN_SECTIONS}
  printf '%s\\n' ${LEFT_OUT.map((path) => `'path-exclude ${path}'`).join(' ')} force-unsafe-io > /etc/dpkg/dpkg.cfg.d/small
  printf '%s\\n' '${APT_SETTINGS.join("' '")}' > /etc/apt/apt.conf.d/80small
  printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
  : > /etc/resolv.conf; : > /etc/machine-id; echo localhost > /etc/hostname`;

/** Makes a small Debian in `folder`. */
export async function makeDebian(folder: string): Promise<void> {
  const cache = `--cache-dir=${cachePaths.archives}`;
  await run('debootstrap', ['--variant=minbase', cache, SUITE, folder, await mirror()]);
  await run('chroot', [folder, 'sh', '-euc', debianScript], { env: environmentInside });
}

/** Installs packages, runs what the recipe wants besides, and clears what installing leaves behind. */
export const installScript = (packages: string[], script: string): string => `
  apt-get install -y -q ${packages.join(' ')}
  ${script}
  rm -rf /var/log/* /var/cache/debconf/*-old /var/lib/dpkg/*-old /var/cache/ldconfig/aux-cache /tmp/*`;

export const updateScript = 'apt-get update -q';

/** Unpacks packages, without installing them, into `folder`: a root with no package manager and no shell but busybox. */
export const slimScript = (packages: string[], folder: string): string => `
  cd ${folder}
  mkdir -p usr/bin usr/sbin usr/lib usr/lib64 etc tmp proc sys dev run root var/lib
  for name in bin sbin lib lib64; do ln -s usr/$name $name; done
  chmod 1777 tmp
  mkdir /tmp/packages
  cd /tmp/packages
  apt-get download -q ${packages.join(' ')}
  for file in *.deb; do dpkg-deb --fsys-tarfile "$file" | tar -x -C ${folder} --keep-directory-symlink; done
  cd ${folder}
  rm -rf usr/share/doc usr/share/man usr/share/locale usr/share/lintian
  printf 'root:x:0:0:root:/root:/bin/sh\n' > etc/passwd
  printf 'root:x:0:\n' > etc/group
  if [ -e usr/bin/busybox ]; then chroot . /usr/bin/busybox --install -s; fi
  if [ -e usr/sbin/ldconfig ]; then chroot . /usr/sbin/ldconfig; fi`;
