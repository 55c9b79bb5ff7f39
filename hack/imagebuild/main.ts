/** The command line of `hack/images`. */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../testbed/run.ts';
import { makeCacheFolders } from './cache.ts';
import { type BuiltImage, buildLayers, type Image, writeImage } from './image.ts';
import { recipes } from './recipes.ts';
import { checkMachine } from './rootfs.ts';

const HELP = `Usage: hack/images [NAME...] [--push [--name CLUSTER]] [--list | --json]

Builds OCI images from Debian packages; the first time takes some minutes, then only what a changed recipe asks for.
They are kept under \${FORAGE_CACHE:-/var/cache/forage-dev}/images/NAME, as OCI layouts. Without a NAME: all of them.

  --push          push them to the registry of a cluster made by hack/cluster
  --name CLUSTER  which cluster (default: what hack/cluster takes for default)
  --list          only print the names, with what each image runs
  --json          print what was built as JSON: ref, path, digest, sizes, the command to try it

  hack/images python:v1 nginx
  hack/images --push --name demo
`;

interface Options {
  names: string[];
  push: boolean;
  cluster?: string;
  list: boolean;
  json: boolean;
}

function parse(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      push: { type: 'boolean' },
      name: { type: 'string' },
      list: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const unknown = positionals.find((name) => !Object.hasOwn(recipes, name));
  if (unknown) throw new Error(`there is no image ${unknown}; hack/images --list names them all`);
  const names = positionals.length > 0 ? positionals : Object.keys(recipes);
  return { names, push: !!values.push, cluster: values.name, list: !!values.list, json: !!values.json };
}

/** Files are made image by image, while blobs of those before are still being compressed: one core each. */
async function build(names: string[]): Promise<Image[]> {
  let compressing: Promise<Image[]> = Promise.resolve([]);
  for (const name of names) {
    const built = await buildLayers(name, recipes[name]!);
    compressing = compressing.then(async (images) => [...images, await written(built)]);
    compressing.catch(() => {}); // It is awaited below; until then its failure must not end the process.
  }
  return compressing;
}

async function written(built: BuiltImage): Promise<Image> {
  const image = await writeImage(built);
  const size = `${(image.uncompressedBytes / 1e6).toFixed(1)} MB, ${(image.compressedBytes / 1e6).toFixed(1)} MB packed`;
  process.stderr.write(`${image.name.padEnd(20)} ${String(image.layers).padStart(3)} layers, ${size}\n`);
  return image;
}

async function push(image: Image, cluster: string | undefined): Promise<void> {
  const tool = join(import.meta.dirname, '..', 'cluster');
  await run(tool, ['push', image.path, image.ref, ...(cluster ? ['--name', cluster] : [])]);
  process.stderr.write(`${image.name.padEnd(20)} pushed as ${image.ref}\n`);
}

async function main(): Promise<void> {
  const { names, push: pushing, cluster, list, json } = parse();
  if (list) {
    for (const name of names)
      process.stdout.write(`${name.padEnd(20)} ${recipes[name]!.smoke.argv.join(' ')}\n`);
    return;
  }
  checkMachine();
  makeCacheFolders();
  const images = await build(names);
  if (pushing) for (const image of images) await push(image, cluster);
  if (json) process.stdout.write(`${JSON.stringify(images, null, 2)}\n`);
}

main().catch((error: Error) => {
  process.stderr.write(`hack/images: ${error.message}\n`);
  process.exitCode = 1;
});
