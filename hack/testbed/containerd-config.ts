/**
 * containerd's configuration on the nodes. The forage stanza stands in one place, `proxyPlugin` and `snapshotters`: it is
 * what `forage containerd-config` tells users to add.
 */

const snapshotters = ['overlayfs', 'forage'];
const platform = `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;

const proxyPlugin = `
[proxy_plugins.forage]
  type = "snapshot"
  address = "/run/forage/snapshotter.sock"
  [proxy_plugins.forage.exports]
    root = "/var/lib/forage"
`;

/** Naming one snapshotter replaces the default list, so overlayfs is named too. */
const transfer = `
[plugins."io.containerd.transfer.v1.local"]
  config_path = "/etc/containerd/certs.d"
${snapshotters
  .map(
    (name) => `  [[plugins."io.containerd.transfer.v1.local".unpack_config]]
    platform = "${platform}"
    snapshotter = "${name}"
    differ = "walking"
`,
  )
  .join('')}`;

/** A handler of its own for pods whose containers are moved. containerd 1.7 knows no other runtime once one is named, so runc is, too. */
const runtimes = (plugin: string): string => `
[plugins."${plugin}".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."${plugin}".containerd.runtimes.forage]
  runtime_type = "io.containerd.runc.v2"
  [plugins."${plugin}".containerd.runtimes.forage.options]
    BinaryName = "/usr/bin/forage-runc"
`;

/** Pods get forage's snapshots. Any image that waits does for their pause. The machine itself may not lower a process's OOM score. */
const cri = {
  '1.7': `version = 2

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry:5000/busybox:latest"
  restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "forage"
${runtimes('io.containerd.grpc.v1.cri')}`,
  '2.1': `version = 3

[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "forage"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "registry:5000/busybox:latest"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/etc/containerd/certs.d"
${runtimes('io.containerd.cri.v1.runtime')}`,
};

/** Pods of a machine are on a bridge of their own: no route leads to those of another. */
export const podNetwork = JSON.stringify({
  cniVersion: '1.0.0',
  name: 'pods',
  plugins: [
    {
      type: 'bridge',
      bridge: 'pods0',
      isGateway: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.88.0.0/24' }]] },
    },
  ],
});

/** Its own two seconds are too short for a checkpoint. */
export const crictlConfig = 'runtime-endpoint: unix:///run/containerd/containerd.sock\ntimeout: 60\n';

export const containerdConfig = (version: keyof typeof cri): string => cri[version] + transfer + proxyPlugin;

/** The cluster's registry speaks plain HTTP. forage's mirror stands around it as docs/mirror.md says. */
export const registryHosts = `server = "http://localhost:7480"
capabilities = ["pull", "resolve"]

[host."http://127.0.0.1:7480"]
  capabilities = ["pull"]

[host."http://registry:5000"]
  capabilities = ["pull", "resolve", "push"]
`;
