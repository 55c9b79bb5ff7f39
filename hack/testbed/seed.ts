/**
 * What makes a machine that machine: a small tree laid over the shared ones, written anew at each power-on. Nothing in it
 * is ever changed by the machine itself; what that writes goes to its own upper layer.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copyCertificates } from './certificates.ts';
import { containerdConfig, crictlConfig, podNetwork, registryHosts } from './containerd-config.ts';
import { type Cluster, isNode, type Machine, registryName } from './model.ts';
import { labelOf, machineDir } from './network.ts';

/** Text, or where a symbolic link points. */
type Entry = string | { link: string };
type Files = Record<string, Entry>;

const units = 'etc/systemd/system';
/** So many nodes are named to all others: enough that one of them is there. */
const bootstrapNodes = 2;
const masked: Entry = { link: '/dev/null' };

function common(cluster: Cluster, machine: Machine): Files {
  const hosts = cluster.machines.map(({ address, name }) => `${address} ${name}\n`).join('');
  return {
    // Without an id of its own systemd would take every boot of a new disk for an installation to be set up.
    'etc/machine-id': `${createHash('sha256').update(labelOf(cluster.name, machine.name)).digest('hex').slice(0, 32)}\n`,
    'etc/hostname': `${machine.name}\n`,
    'etc/hosts': `127.0.0.1 localhost\n${hosts}`,
    // Nobody answers there, at once; without such a line tools turn to public servers and wait for them.
    'etc/resolv.conf': `nameserver ${machine.address}\n`,
    // Logs outlive a power loss: tests want to read them.
    'etc/systemd/journald.conf.d/testbed.conf':
      '[Journal]\nStorage=persistent\nSystemMaxUse=64M\nRateLimitBurst=0\n',
    // A container whose first process ignores SIGTERM holds up the machine's shutdown for as long.
    'etc/systemd/system.conf.d/testbed.conf': '[Manager]\nDefaultTimeoutStopSec=5s\n',
    [`${units}/console-getty.service`]: masked,
    [`${units}/apt-daily.timer`]: masked,
    [`${units}/apt-daily-upgrade.timer`]: masked,
    [`${units}/dpkg-db-backup.timer`]: masked,
    'usr/local/sbin/testbed-mounts': openMounts,
    [`${units}/testbed-mounts.service`]: openMountsUnit,
    [`${units}/sysinit.target.wants/testbed-mounts.service`]: { link: '../testbed-mounts.service' },
  };
}

/**
 * nspawn leaves v1 controllers and all sysctls read-only. Containers need the controllers and the sysctls that belong to a namespace: of the
 * network, and, for CRIU to restore them, of UTS and IPC. None of these is the host's.
 */
const openMounts = `#!/bin/sh
if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -o remount,rw /sys/fs/cgroup
  for controller in /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$controller"; done
fi
cd /proc/sys
for sysctl in net fs/mqueue kernel/hostname kernel/domainname kernel/sem kernel/*msg* kernel/*shm* kernel/sem_next_id; do
  [ -e $sysctl ] || continue
  mount --bind $sysctl $sysctl
  mount -o remount,rw,bind $sysctl
done
`;

const openMountsUnit = `[Unit]
Description=Give containers their cgroups and network settings
DefaultDependencies=no
After=systemd-sysctl.service
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /usr/local/sbin/testbed-mounts
`;

function nodeFiles(cluster: Cluster, machine: Machine): Files {
  return {
    ...common(cluster, machine),
    'etc/containerd/config.toml': containerdConfig(cluster.containerd),
    'etc/containerd/certs.d/registry:5000/hosts.toml': registryHosts,
    'etc/cni/net.d/10-pods.conflist': podNetwork,
    'etc/crictl.yaml': crictlConfig,
    'etc/nerdctl/nerdctl.toml': 'cni_path = "/usr/lib/cni"\n',
    'etc/forage/config.toml': forageConfig(cluster, machine),
    [`${units}/docker-registry.service`]: masked,
    ...Object.fromEntries(
      forageUnits(cluster).map((unit) => [
        `${units}/multi-user.target.wants/${unit}`,
        { link: `/usr/lib/systemd/system/${unit}` },
      ]),
    ),
  };
}

/** Those of forage's units that the checkout has; systemd orders them before containerd by themselves. */
export const forageUnits = (cluster: Cluster): string[] =>
  ['forage-volumes.service', 'forage.service'].filter((unit) =>
    cluster.trees.some((tree) => existsSync(join(tree, 'usr/lib/systemd/system', unit))),
  );

function forageConfig(cluster: Cluster, machine: Machine): string {
  const nodes = cluster.machines.filter(isNode).slice(0, bootstrapNodes);
  const list = nodes.map(({ name }) => `"${name}:7401"`).join(', ');
  return `[identity]
cert = "/etc/forage/node.crt"
key = "/etc/forage/node.key"
ca = "/etc/forage/ca.crt"

[peers]
host = "${machine.name}"
bootstrap = [${list}]
`;
}

const registryConfig = `version: 0.1
storage:
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
`;

function registryFiles(cluster: Cluster, machine: Machine): Files {
  return {
    ...common(cluster, machine),
    'etc/docker/registry/config.yml': registryConfig,
    [`${units}/containerd.service`]: masked,
    // Its data lies on a disk that the host made, so it is root's.
    [`${units}/docker-registry.service.d/testbed.conf`]: '[Service]\nUser=root\n',
  };
}

/** Writes the machine's tree; returns where. */
export function writeSeed(cluster: Cluster, machine: Machine): string {
  const root = join(machineDir(cluster.name, machine.name), 'seed');
  rmSync(root, { recursive: true, force: true });
  const files = machine.name === registryName ? registryFiles(cluster, machine) : nodeFiles(cluster, machine);
  for (const [path, entry] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof entry === 'string') writeFileSync(file, entry);
    else symlinkSync(entry.link, file);
  }
  if (isNode(machine)) copyCertificates(cluster.name, machine.name, join(root, 'etc/forage'));
  return root;
}
