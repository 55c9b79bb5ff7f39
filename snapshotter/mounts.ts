/**
 * The mounts that containerd is told to make. Pure.
 *
 * The kernel takes one page of options and containerd shortens lower paths only by their common prefix, so every lower is a
 * short link of fixed length (`links.ts`): 128 layers take 2.5 KB. `index`, `metacopy` and `redirect_dir` are off whatever
 * the kernel's defaults are: a layer must mean the same on the node that unpacked it and on all others.
 */
import type { Mount } from './types.ts';

const OVERLAY_OPTIONS = ['index=off', 'metacopy=off', 'redirect_dir=off'];

/** What a view or an active snapshot is made of. */
export interface Parts {
  kind: 'view' | 'active';
  /** Its own directories. A view needs them only where it has no lowers. */
  upper: string;
  work: string;
  /** The links of the layers below, nearest first. */
  lowers: readonly string[];
}

export function mountsOf({ kind, upper, work, lowers }: Parts): Mount[] {
  // overlayfs wants at least one lower, and two where it has no upper.
  if (lowers.length === 0) return [bind(upper, kind === 'view' ? 'ro' : 'rw')];
  if (kind === 'view' && lowers.length === 1) return [bind(lowers[0]!, 'ro')];
  const upperOptions = kind === 'active' ? [`workdir=${work}`, `upperdir=${upper}`] : [];
  const options = [...upperOptions, `lowerdir=${lowers.join(':')}`, ...OVERLAY_OPTIONS];
  return [{ type: 'overlay', source: 'overlay', target: '', options }];
}

function bind(source: string, access: 'ro' | 'rw'): Mount {
  return { type: 'bind', source, target: '', options: [access, 'rbind'] };
}
