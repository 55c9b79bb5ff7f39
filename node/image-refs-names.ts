/**
 * Which of containerd's image names the cluster is told of.
 *
 * CRI gives each image three names. `registry/app:v1` is what people and other nodes ask for. `sha256:<config>` is an id that only
 * this node's kubelet uses, and no registry can be asked for it: left out. `registry/app@sha256:<manifest>` adds nothing where the
 * same repository has a tag for the same digest, since digests are found by themselves (mirror-digests.ts): then it is left out,
 * so that an image is listed once. Where it stands alone, an image was pulled by its digest, and that is its name.
 */
import { isPrintable } from '../peers/directory/body.ts';
import { MAX_IMAGE_NAME_CHARACTERS } from '../peers/directory/limits.ts';
import type { ContainerdImage } from './containerd/containerd.ts';

/** An image, and containerd's namespace that has it. */
export interface NamespacedImage extends ContainerdImage {
  namespace: string;
}

/** A repository, a tag or none, and a digest. */
const BY_DIGEST = /^(?<repository>[^@]+?)(?::[^/@:]+)?@sha256:[0-9a-f]{64}$/;
const BY_TAG = /^(?<repository>[^@]+):[^/@:]+$/;

/**
 * One image for each name that is told, in the order of the names: where several namespaces have it, the one that was
 * pointed at its target last.
 */
export function imagesToTell(images: readonly NamespacedImage[]): NamespacedImage[] {
  const tagged = new Set(images.map(taggedAs));
  const told = images.filter(({ name, target }) => {
    if (name.startsWith('sha256:') || !isPrintable(name, MAX_IMAGE_NAME_CHARACTERS)) return false;
    const repository = BY_DIGEST.exec(name)?.groups?.repository;
    return repository === undefined || !tagged.has(`${repository} ${target.digest}`);
  });
  const newest = new Map<string, NamespacedImage>();
  for (const image of told.toSorted((a, b) => a.updatedAtMs - b.updatedAtMs)) newest.set(image.name, image);
  return [...newest.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function taggedAs({ name, target }: NamespacedImage): string {
  return `${BY_TAG.exec(name)?.groups?.repository ?? ''} ${target.digest}`;
}
