/**
 * The OCI spec of a container that is made again elsewhere, maybe under another name. Pure. What is bound to the old place is taken out or
 * renamed: cgroup, hooks of the tool that made it (its own state is not here).
 */
import * as v from 'valibot';

const mountSchema = v.looseObject({
  destination: v.string(),
  type: v.optional(v.string()),
  source: v.optional(v.string()),
  options: v.optional(v.array(v.string())),
});

const namespaceSchema = v.looseObject({ type: v.string(), path: v.optional(v.string()) });

/** The parts of the OCI runtime specification that are looked at; all others are kept as they are. */
const specSchema = v.looseObject({
  ociVersion: v.string(),
  mounts: v.optional(v.array(mountSchema)),
  hooks: v.optional(v.unknown()),
  linux: v.optional(
    v.looseObject({
      cgroupsPath: v.optional(v.string()),
      namespaces: v.optional(v.array(namespaceSchema)),
    }),
  ),
});

export type OciSpec = v.InferOutput<typeof specSchema>;

/** Throws ValiError. */
export function parseSpec(spec: unknown): OciSpec {
  return v.parse(specSchema, spec);
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

/** With a pod or another container, say: CRIU leaves such a network out of a dump, and wants one to be there. */
export function sharesNetwork({ linux }: OciSpec): boolean {
  return linux?.namespaces?.some(({ type, path }) => type === 'network' && Boolean(path)) ?? false;
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
