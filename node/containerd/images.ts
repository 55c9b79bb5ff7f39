/** containerd's namespaces, and the images in each: names, and what they stand for. What their blobs say is read in oci.ts. */

import { isDigest } from '../../blocks/digest.ts';
import {
  ImagesService,
  images as imagesPb,
  NamespacesService,
  namespaces as names,
} from '../../proto/containerd.ts';
import type { Connection } from './connection.ts';
import type { Descriptor } from './oci.ts';

/** More than a node has; a reply of the channel holds about as many. */
const MAX_IMAGES = 10_000;

export interface ContainerdImage {
  /** As containerd has it: `registry:5000/python:v1`, `docker.io/library/nginx:latest`. */
  name: string;
  /** The index or the manifest. */
  target: Descriptor;
  /** When the name was last pointed at its target; milliseconds since 1970. */
  updatedAtMs: number;
}

export interface Images {
  /**
   * Of one namespace; `filters` are containerd's (any one that matches suffices, none is all). Images whose target has no
   * sha256 digest are left out. Throws `ContainerdError`.
   */
  list(namespace: string, filters?: readonly string[], signal?: AbortSignal): Promise<ContainerdImage[]>;
}

export interface Namespaces {
  /** Their names. Throws `ContainerdError`. */
  list(signal?: AbortSignal): Promise<string[]>;
}

export function images(connection: Connection): Images {
  return {
    async list(namespace, filters = [], signal) {
      const request = new imagesPb.ListImagesRequest().setFiltersList([...filters]);
      const reply = await connection.call(ImagesService.list, namespace, request, signal);
      const listed = reply.getImagesList();
      if (listed.length > MAX_IMAGES) throw new RangeError(`${listed.length} images in ${namespace}`);
      return listed.map(imageFrom).filter((image) => image !== undefined);
    },
  };
}

export function namespaces(connection: Connection): Namespaces {
  return {
    async list(signal) {
      const request = new names.ListNamespacesRequest();
      const reply = await connection.call(NamespacesService.list, '', request, signal);
      return reply.getNamespacesList().map((namespace) => namespace.getName());
    },
  };
}

function imageFrom(image: imagesPb.Image): ContainerdImage | undefined {
  const target = image.getTarget();
  const digest = target?.getDigest() ?? '';
  if (target === undefined || !isDigest(digest)) return undefined;
  const updated = image.getUpdatedAt();
  return {
    name: image.getName(),
    target: { mediaType: target.getMediaType(), digest },
    updatedAtMs: (updated?.getSeconds() ?? 0) * 1000 + Math.floor((updated?.getNanos() ?? 0) / 1e6),
  };
}
