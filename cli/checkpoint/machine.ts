/** This machine's containers, as the commands see them: root's own way to containerd. */
import type { Config } from '../../node/config/config.ts';
import { type Containerd, openContainerd } from '../../node/containerd/containerd.ts';
import type { Container } from '../../node/containerd/containers.ts';
import { Failure } from '../errors.ts';

export async function withContainerd<T>(
  config: Config,
  work: (containerd: Containerd) => Promise<T>,
): Promise<T> {
  const containerd = openContainerd(config.containerd.address);
  try {
    return await work(containerd);
  } finally {
    containerd.close();
  }
}

/** By its id, the beginning of it, or nerdctl's name. Throws Failure. */
export async function containerNamed(config: Config, namespace: string, name: string): Promise<Container> {
  const found = await withContainerd(config, ({ containers }) => containers.find(namespace, name));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new Failure(`${name} may be any of ${found.map(({ id }) => id.slice(0, 12)).join(', ')}`);
  throw new Failure(
    `there is no container ${name} in containerd's namespace ${namespace}; --namespace names another`,
  );
}
