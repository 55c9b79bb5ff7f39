/** What all ref records that count say together, image by image. Pure, and the same on every node with the same records. */
import type { ChainId } from '../blocks/types.ts';
import type { Digest, Held, Ref } from '../peers/directory/types.ts';

export interface ListedImage {
  /** As containerd has it. */
  name: string;
  /** Of the manifest that the newest ref names. */
  digest: Digest;
  /** When the first node said that the name stands for what it stands for now. */
  createdMs: number;
  /** Those who say so, sorted. */
  nodes: string[];
  /** Those for whom the name stands for something else, which is older: sorted. */
  outdated: string[];
  /** Layers of the newest ref, lowest first. */
  chainIds: readonly ChainId[];
}

/**
 * The name as containerd has it, of what a person types: `nginx` is `docker.io/library/nginx:latest`. The rules are those of Docker's
 * references, which nerdctl and the kubelet follow too.
 */
export function canonicalName(typed: string): string {
  const [first = '', ...rest] = typed.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const path = hasHost ? typed : `docker.io/${rest.length === 0 ? 'library/' : ''}${typed}`;
  return path.includes('@') || /:[^/]+$/.test(path) ? path : `${path}:latest`;
}

/**
 * In the order of the names. Nodes of different architectures have different manifests of one index, and say the same; which of
 * their manifests is shown is the newest ref's.
 */
export function listImages(refs: readonly Held<'ref'>[]): ListedImage[] {
  const byName = Map.groupBy(refs, ({ content }) => content.image);
  return [...byName].map(([name, ofName]) => listed(name, ofName)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What an image's name stands for in the cluster: the ref that was made last; of two at one time, the one with the higher id. */
export function newestRef(refs: readonly Held<'ref'>[]): Held<'ref'> | undefined {
  return refs.reduce<Held<'ref'> | undefined>(
    (newest, ref) => (newest === undefined || isNewer(ref, newest) ? ref : newest),
    undefined,
  );
}

function listed(name: string, refs: readonly Held<'ref'>[]): ListedImage {
  const { content } = newestRef(refs)!;
  const same = refs.filter((ref) => targetOf(ref.content) === targetOf(content));
  const nodes = namesOf(same);
  return {
    name,
    nodes,
    digest: content.manifest.digest,
    createdMs: same.reduce((first, { createdMs }) => Math.min(first, createdMs), Number.POSITIVE_INFINITY),
    outdated: namesOf(refs).filter((node) => !nodes.includes(node)),
    chainIds: content.chainIds,
  };
}

function targetOf({ index, manifest }: Ref): Digest {
  return (index ?? manifest).digest;
}

function namesOf(refs: readonly Held<'ref'>[]): string[] {
  return [...new Set(refs.map(({ node }) => node))].sort();
}

function isNewer(a: Held, b: Held): boolean {
  return a.createdMs === b.createdMs ? a.id > b.id : a.createdMs > b.createdMs;
}
