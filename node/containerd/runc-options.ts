/** Options of containerd's shim for runc: which binary it calls instead of runc, and what a task is restored from. */
import { runc } from '../../proto/containerd.ts';
import type { TypedBytes } from './containers.ts';

const OPTIONS_TYPE = 'containerd.runc.v1.Options';

/**
 * `own`, with this binary. `imagePath`: a task that is made with these options is restored from that folder; '' for a container's own
 * options, which outlive it. Options of another kind say nothing to this shim, and are left out.
 */
export function runcOptions(own: TypedBytes | undefined, binary: string, imagePath: string): TypedBytes {
  const options =
    own?.typeUrl === OPTIONS_TYPE
      ? runc.Options.deserializeBinary(new Uint8Array(own.value))
      : new runc.Options();
  const value = options.setBinaryName(binary).setCriuImagePath(imagePath).serializeBinary();
  return { typeUrl: OPTIONS_TYPE, value };
}
