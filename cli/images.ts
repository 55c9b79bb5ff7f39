/** `forage images`, `forage images rm`. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { ask, askLong } from './admin-client.ts';
import { bytes, count, percent, print, printJson, short, table } from './output.ts';
import { settings } from './settings.ts';

/** Names of nodes in a row of the table; the others are counted. */
const NODES_SHOWN = 4;

interface Options {
  config: string;
  json?: boolean;
}

type Image = ReturnType<typeof plain>;
type Removed = ReturnType<typeof plainRemoved>;

export async function images(options: Options): Promise<void> {
  const { run } = await settings(options.config);
  const reply = await ask(run, AdminService.images, new admin.ImagesRequest());
  const shown = reply
    .getImagesList()
    .map(plain)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  if (options.json) printJson(shown);
  else print(forPeople(shown));
}

export async function removeImage(name: string, options: Options): Promise<void> {
  const { run } = await settings(options.config);
  const request = new admin.RemoveImageRequest().setName(name);
  const removed = plainRemoved(await askLong(run, AdminService.removeImage, request));
  if (options.json) printJson(removed);
  else print(removedForPeople(removed));
}

/** The form of `--json`; scripts rely on it. */
function plain(image: admin.Image) {
  return {
    name: image.getName(),
    digest: image.getDigest(),
    created_ms: fromInt64(image.getCreatedMs(), 'time of an image'),
    nodes: image.getNodesList(),
    layers: image.getLayers(),
    volumes: image.getVolumes(),
    block_bytes: fromInt64(image.getBlockBytes(), 'bytes of an image'),
    bytes_here: fromInt64(image.getBytesHere(), 'bytes of an image that are here'),
  };
}

function plainRemoved(reply: admin.RemoveImageReply) {
  return {
    name: reply.getName(),
    layers_freed: reply.getLayersFreed(),
    layers_shared: reply.getLayersShared(),
    still_used_by: reply.getStillUsedByList(),
  };
}

function forPeople(images: Image[]): string {
  if (images.length === 0) return 'No images. Pull one: nerdctl pull --snapshotter forage IMAGE';
  const rows = images.map((image) => [
    image.name,
    short(image.digest),
    new Date(image.created_ms).toISOString().slice(0, 10),
    `${image.volumes}/${image.layers}`,
    bytes(image.block_bytes),
    percent(image.bytes_here, image.block_bytes),
    nodesOf(image),
  ]);
  return table(['IMAGE', 'DIGEST', 'SINCE', '>VOLUMES', '>SIZE', '>HERE', 'NODES'], rows);
}

function nodesOf({ nodes }: Image): string {
  const more = nodes.length - NODES_SHOWN;
  return [...nodes.slice(0, NODES_SHOWN), ...(more > 0 ? [`and ${more} more`] : [])].join(', ') || '-';
}

function removedForPeople(removed: Removed): string {
  const { name, layers_freed: freed, layers_shared: shared, still_used_by: nodes } = removed;
  const lines = [
    `removed  ${name}`,
    `freed    ${count(freed, 'layer')} that no other image or checkpoint has; their blocks go, on every node`,
    `shared   ${count(shared, 'layer')} that other images or checkpoints have; they stay`,
  ];
  if (nodes.length > 0)
    lines.push(
      '',
      `Still in containerd, which keeps it alive, on: ${nodes.join(', ')}`,
      'Remove it there too (with -n NAMESPACE where that is not the default), then here again:',
      `  nerdctl rmi ${name}`,
      `  ctr images rm ${name}`,
    );
  return lines.join('\n');
}
