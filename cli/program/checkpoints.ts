/** Commands about the state of containers. */
import type { Command } from 'commander';
import { asksNode, wholeNumber } from './common.ts';

const NAMESPACE = ['-n, --namespace <NAME>', "containerd's namespace", 'default'] as const;

export function addCheckpoints(forage: Command): void {
  const checkpoint = forage
    .command('checkpoint')
    .description("containers' states in the cluster: create, ls, inspect, rm, export, import")
    .helpCommand(false);
  addCreate(checkpoint);
  addLs(checkpoint);
  addInspect(checkpoint);
  addRm(checkpoint);
  addExport(checkpoint);
  addImport(checkpoint);
  addRestore(forage);
  addMigrate(forage);
  addFork(forage);
}

function addCreate(checkpoint: Command): void {
  const create = checkpoint
    .command('create')
    .description('checkpoint a running container')
    .argument('<CONTAINER>', "its id, the beginning of it, or nerdctl's name")
    .option(...NAMESPACE)
    .option('--name <NAME>', "the checkpoint's name (default: made of the container's and the time)")
    .option('--stop', 'end the container with it')
    .option('--no-wait', 'return when the container goes on, before other nodes have the checkpoint');
  asksNode(create, 'one JSON object')
    .addHelpText(
      'after',
      `
The container is frozen while its memory and what it has written are copied on this node; it goes on while volumes are made of
them. Without --no-wait the command returns when \`replicas\` nodes hold each block.

  forage checkpoint create web
  forage checkpoint create web --name web-before-upgrade --stop`,
    )
    .action(async (container, options) => (await import('../checkpoint.ts')).create(container, options));
}

function addLs(checkpoint: Command): void {
  const ls = checkpoint.command('ls').description('all checkpoints of the cluster, newest first');
  asksNode(ls, 'one JSON array')
    .addHelpText(
      'after',
      `
HERE is how much of its memory and files is on this node.

  forage checkpoint ls
  forage checkpoint ls --json | jq -r '.[] | select(.container == "web") | .id'`,
    )
    .action(async (options) => (await import('../checkpoint.ts')).list(options));
}

function addInspect(checkpoint: Command): void {
  const inspect = checkpoint
    .command('inspect')
    .description('all that is known of a checkpoint, as JSON')
    .argument('<CHECKPOINT>', 'as `forage checkpoint ls` lists it');
  asksNode(inspect, 'as without it')
    .addHelpText('after', '\n  forage checkpoint inspect CHECKPOINT | jq .document.made.spec.process.args')
    .action(async (id, options) => (await import('../checkpoint.ts')).inspect(id, options));
}

function addRm(checkpoint: Command): void {
  const rm = checkpoint
    .command('rm')
    .description('remove a checkpoint from the whole cluster')
    .argument('<CHECKPOINT>', 'as `forage checkpoint ls` lists it');
  asksNode(rm, 'one JSON object')
    .addHelpText(
      'after',
      `
Destroys it: the blocks that nothing else has go on every node, on those that are away when they are back. Containers that were
restored from it and have all of their memory are not touched.

  forage checkpoint rm CHECKPOINT`,
    )
    .action(async (id, options) => (await import('../checkpoint.ts')).remove(id, options));
}

function addExport(checkpoint: Command): void {
  const command = checkpoint
    .command('export')
    .description('write all of a checkpoint into a file, for a cluster that cannot be reached')
    .argument('<CHECKPOINT>', 'as `forage checkpoint ls` lists it')
    .argument('<FILE>', 'must not exist');
  asksNode(command, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
The image is not in it: the other cluster needs its layers, or its registry. Whoever can read the file can read the container's
memory; it is made for root alone.

  forage checkpoint export CHECKPOINT web.tar`,
    )
    .action(async (id, file, options) => (await import('../checkpoint-file.ts')).exportTo(id, file, options));
}

function addImport(checkpoint: Command): void {
  const command = checkpoint
    .command('import')
    .description('take a checkpoint from a file that `export` has written')
    .argument('<FILE>', 'the file');
  asksNode(command, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
Everything in it is checked against its hashes, and signed by this node. It keeps its name, which must not be taken.

  forage checkpoint import web.tar && forage restore CHECKPOINT --name web`,
    )
    .action(async (file, options) => (await import('../checkpoint-file.ts')).importFrom(file, options));
}

function addRestore(forage: Command): void {
  const restore = forage
    .command('restore')
    .description('make a container of a checkpoint, on this node or another')
    .argument('<CHECKPOINT>', 'as `forage checkpoint ls` lists it')
    .option(...NAMESPACE)
    .option('--name <NAME>', "the new container's id (default: the checkpoint's)")
    .option('--on <NODE>', 'on that node of the cluster')
    .option('--whole', 'bring all of its memory and files before it runs')
    .option('--no-wait', 'return when it runs, before all of its memory is here');
  asksNode(restore, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
Neither the image nor its registry is asked for: layers, files and memory come from the cluster. The container runs at once; memory
comes as it is touched, the rest behind it. One checkpoint may be restored many times. The container has a network of its own with
nothing but loopback, unless it shared its machine's.

  forage restore CHECKPOINT --name web
  forage restore CHECKPOINT --name web --on n3`,
    )
    .action(async (checkpoint, options) => (await import('../restore.ts')).restore(checkpoint, options));
}

function addMigrate(forage: Command): void {
  const migrate = forage
    .command('migrate')
    .description('move a running container to another node')
    .argument('<CONTAINER>', "its id, the beginning of it, or nerdctl's name")
    .requiredOption('--to <NODE>', 'a node of the cluster, as `forage peers` lists it')
    .option(
      '--lazy',
      'run it there before its memory has come: a shorter pause; this node must stay until the end',
    )
    .option(...NAMESPACE);
  asksNode(migrate, 'one JSON object, and no progress')
    .addHelpText(
      'after',
      `
While the container runs, its state is brought to the other node. Then it is frozen here, what has changed is brought, it is
restored there, and removed here once it runs there. If it does not come to run there it goes on
here. The other node needs neither the image nor its registry. With --lazy its memory comes as it touches it; when this node dies before
all has come, and nobody else has the rest, the container there is killed, never given wrong memory.

  forage migrate web --to n2
  forage migrate web --to n2 --lazy`,
    )
    .action(async (container, options) => (await import('../migrate.ts')).migrate(container, options));
}

function addFork(forage: Command): void {
  const fork = forage
    .command('fork')
    .description('make several containers of one checkpoint, over the nodes of the cluster')
    .argument('<CHECKPOINT>', 'as `forage checkpoint ls` lists it')
    .requiredOption('--count <N>', 'how many', wholeNumber)
    .option('--name <NAME>', "the containers are NAME-1, NAME-2 and so on (default: the checkpoint's)")
    .option(...NAMESPACE);
  asksNode(fork, 'one JSON array')
    .addHelpText(
      'after',
      `
The containers go to the living nodes in turn, this one first; all are restored at the same time. Exits with 1 when not all run.

  forage fork CHECKPOINT --count 3
  forage fork CHECKPOINT --count 3 --name worker --json | jq -r '.[].node'`,
    )
    .action(async (checkpoint, options) => (await import('../fork.ts')).fork(checkpoint, options));
}
