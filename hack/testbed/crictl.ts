/** crictl, which speaks to containerd as the kubelet does. */
import { goCommandTree } from './go-command.ts';

export const crictlTree = (): Promise<string[]> =>
  goCommandTree({
    name: 'crictl',
    module: 'sigs.k8s.io/cri-tools',
    version: 'v1.34.0',
    versionIn: 'pkg/version.Version',
  });
