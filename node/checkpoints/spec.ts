/**
 * The OCI spec of a container that is made again elsewhere, maybe under another name. Pure. What is bound to the old place is taken out or
 * renamed: cgroup, network namespace by path, hooks of the tool that made it (its own state is not here).
 */
import { z } from 'zod';

const mountSchema = z.looseObject({
  destination: z.string(),
  type: z.string().optional(),
  source: z.string().optional(),
  options: z.array(z.string()).optional(),
});

const namespaceSchema = z.looseObject({ type: z.string(), path: z.string().optional() });

/** The parts of the OCI runtime specification that are looked at; all others are kept as they are. */
const specSchema = z.looseObject({
  hostname: z.string().optional(),
  mounts: z.array(mountSchema).optional(),
  hooks: z.unknown().optional(),
  linux: z
    .looseObject({ cgroupsPath: z.string().optional(), namespaces: z.array(namespaceSchema).optional() })
    .optional(),
});

export type OciSpec = z.infer<typeof specSchema>;

/** Throws ZodError. */
export function parseSpec(spec: unknown): OciSpec {
  return specSchema.parse(spec);
}

export interface Bind {
  destination: string;
  source: string;
}

/** What of the machine the container sees in its place. */
export function bindsOf({ mounts = [] }: OciSpec): Bind[] {
  return mounts.flatMap(({ type, source, destination, options = [] }) => {
    const isBind = type === 'bind' || options.includes('bind') || options.includes('rbind');
    return isBind && source?.startsWith('/') ? [{ destination, source }] : [];
  });
}

/** `sources`: by destination, what is bound instead. */
export function movedSpec(
  spec: OciSpec,
  from: string,
  to: string,
  sources: ReadonlyMap<string, string>,
): OciSpec {
  const { hooks: _, ...kept } = spec;
  const linux = spec.linux && {
    ...spec.linux,
    ...(spec.linux.cgroupsPath !== undefined && {
      cgroupsPath: spec.linux.cgroupsPath.replace(new RegExp(`${escaped(from)}$`), to),
    }),
    namespaces: spec.linux.namespaces?.map((namespace) =>
      namespace.type === 'network' ? { type: 'network' } : namespace,
    ),
  };
  const mounts = spec.mounts?.map((mount) => {
    const source = sources.get(mount.destination);
    return source === undefined ? mount : { ...mount, source };
  });
  return { ...kept, ...(mounts && { mounts }), ...(linux && { linux }) };
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
