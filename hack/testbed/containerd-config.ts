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

const cri = {
  '1.7': `version = 2

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "/usr/lib/cni"
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "/etc/containerd/certs.d"
`,
  '2.1': `version = 3

[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.cri.v1.images".registry]
  config_path = "/etc/containerd/certs.d"
`,
};

export const containerdConfig = (version: keyof typeof cri): string => cri[version] + transfer + proxyPlugin;

/** The cluster's registry speaks plain HTTP. forage's mirror stands around it as docs/mirror.md says. */
export const registryHosts = `server = "http://localhost:7480"
capabilities = ["pull", "resolve"]

[host."http://127.0.0.1:7480"]
  capabilities = ["pull"]

[host."http://registry:5000"]
  capabilities = ["pull", "resolve", "push"]
`;
