/** Commands that change what the node or the cluster keeps. */
import type { Command } from 'commander';
import { asksNode, type Exit } from './common.ts';

export function addSteering(forage: Command, exit: Exit): void {
  addImages(forage);
  addPrefetch(forage);
  addGc(forage);
  addDrain(forage);
  addVerify(forage, exit);
}

function addImages(forage: Command): void {
  const images = forage
    .command('images')
    .description('the images that nodes of the cluster have pulled; `images rm` removes one')
    .helpCommand(false);
  asksNode(images, 'one JSON array')
    .addHelpText(
      'after',
      `
VOLUMES are the layers that the cluster holds as volumes, of all its layers; HERE is how much of them is on this node; NODES
have pulled it. An image stays in the cluster when the last of them has removed it: the next pull finds it there.

  forage images
  forage images --json | jq -r '.[] | select(.volumes < .layers) | .name'`,
    )
    .action(async (options) => (await import('../images.ts')).images(options));
  const rm = images
    .command('rm')
    .description('remove an image from the whole cluster')
    .argument('<IMAGE>', 'its name, as `forage images` lists it');
  asksNode(rm, 'one JSON object')
    .addHelpText(
      'after',
      `
Destroys the cluster's copies: the blocks that no other image has go on every node, on those that are away when they are
back. Whoever wants the image again pulls it from the registry. Containers that run from it are not touched, and a node that
still has it in containerd keeps what it needs; the command names these nodes.

  forage images rm registry.example/app:1
  forage images rm registry.example/app:1 --json | jq -r '.still_used_by[]'`,
    )
    .action(async (image, options) => (await import('../images.ts')).removeImage(image, options));
}

function addPrefetch(forage: Command): void {
  const prefetch = forage
    .command('prefetch')
    .description('bring all of an image to this node, before it is cut off or to start faster')
    .argument('<IMAGE>', 'its name, as `forage images` lists it');
  asksNode(prefetch, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
Blocks come from the neighbours, behind what containers wait for. The registry is not asked: the cluster has to have the image.
Progress goes to standard error. To interrupt it ends it; what has come stays, and the same command goes on from there.
Wants room for the whole image.

  forage prefetch registry.example/app:1`,
    )
    .action(async (image, options) => (await import('../prefetch.ts')).prefetch(image, options));
}

function addGc(forage: Command): void {
  const gc = forage.command('gc').description('free what this node need not keep');
  asksNode(gc, 'one JSON object')
    .addHelpText(
      'after',
      `
Removes blocks that nothing on this node uses and that their owners have promised to keep, now instead of when space is short.
Nothing is lost to the cluster. What a container reads of it later comes from neighbours again.

  forage gc
  forage gc --json | jq .bytes`,
    )
    .action(async (options) => (await import('../gc.ts')).gc(options));
}

function addDrain(forage: Command): void {
  const drain = forage
    .command('drain')
    .description('give all that this node keeps for the cluster to others, so that it can be switched off')
    .option('--undo', 'let this node keep its part again');
  asksNode(drain, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
Ends when nothing is left that only this node has, which takes as long as others need to fetch it. Progress goes to standard
error. To interrupt it ends only the watching: the node goes on, also after a restart, until --undo. Meanwhile it serves its
neighbours and its containers as before.

  forage drain && systemctl disable --now forage forage-volumes  # take a node out; end its containers first
  forage drain --undo                                            # it stays after all`,
    )
    .action(async (options) => (await import('../drain.ts')).drain(options));
}

function addVerify(forage: Command, exit: Exit): void {
  const verify = forage
    .command('verify')
    .description("make a layer's volume again from the registry's layer, and compare it with the cluster's")
    .argument('<LAYER>', 'chainID or diffID: sha256:… or only its 64 hex digits')
    .option('--file <FILE>', 'the layer as the registry has it: tar, gzip or zstd');
  asksNode(verify, 'one JSON object')
    .addHelpText(
      'after',
      `
Believes nobody: the layer's bytes must hash to its diffID, and its volume is made on this node. Exits with 1 when the result
is not what the cluster believes. Takes the time and the space of one ingest; nothing is kept.

Without --file the layer is read from containerd's content store. It is not there on a node that pulled lazily; this fetches
it from the registry (with -n NAMESPACE where the image is not in the default one):
  ctr content fetch IMAGE

  forage volumes --json | jq -r '.[].chain_id'  # layers to choose from
  forage verify sha256:…
  forage verify sha256:… --file layer.tar.gz`,
    )
    .action(async (layer, options) => {
      if (!(await (await import('../verify.ts')).verify(layer, options))) exit(1);
    });
}
