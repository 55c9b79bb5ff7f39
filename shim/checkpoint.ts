/**
 * `checkpoint`: the dump goes into a folder that the node has made, and so does what the container has written, at the same frozen moment; the
 * node makes volumes of them behind the container's back. What is left in the image path is a reference.
 *
 * With `FORAGE_CHECKPOINT_FREEZES=1` it is frozen by this and stays so, as a container does that is about to move: only when the dump cannot fail
 * any more for want of a node or of room.
 *
 * Order of effects: dump, copy of the upper directory, the node takes both, reference. Without `--leave-running` the processes are gone after
 * the dump, so whatever fails from then on leaves the dump in the image path, as runc would have done. Nothing else is left of a
 * failure: the node removes a folder that it has not taken.
 */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { type Arguments, flagValue, globalValue, isSet, withFlags, withValue } from './arguments.ts';
import { isFrozen, type Running, residentBytes, runningContainer } from './container.ts';
import { shortenLog, tellCause } from './criu-log.ts';
import { dumpOptions } from './dump-options.ts';
import { linkedFiles } from './linked-files.ts';
import { NodeError, NodeLink } from './node-link.ts';
import { encodeReference, REFERENCE_FILE } from './reference.ts';
import { knownFlags, runcAs, runcOn, tell } from './runc.ts';

const run = promisify(execFile);

/** What tools look at in the image path: Kubernetes wants the first, `runc restore` reads the second. */
const KEPT = ['inventory.img', 'descriptors.json'];
const DEFAULT_ROOT = '/run/runc';
/** Descriptors, sockets, file maps: what a dump has besides memory. */
const SMALL_BYTES = 4 << 20;

/** Answers the exit status. */
export async function checkpoint(args: Arguments): Promise<number> {
  const root = globalValue(args, 'root') ?? DEFAULT_ROOT;
  const id = args.operands[0] ?? '';
  let link: NodeLink;
  let container: Running;
  try {
    container = await runningContainer(root, id);
    link = await NodeLink.open();
  } catch (error) {
    return plainly(args, error);
  }
  try {
    const name = process.env.FORAGE_CHECKPOINT_NAME || undefined;
    const [bytes, known] = await Promise.all([residentBytes(container), knownFlags('checkpoint')]);
    const request = {
      do: 'stage',
      container: id,
      bytes: bytes + SMALL_BYTES,
      ...(name && { name }),
    } as const;
    const { staged, flags } = await link.ask(request, 'staged');
    return await staging({ args: withFlags(args, flags, known), link, container, staged });
  } catch (error) {
    if (error instanceof NodeError) return plainly(args, error);
    throw error;
  } finally {
    link.close();
  }
}

/** Never worse than without forage. */
async function plainly(args: Arguments, error: unknown): Promise<number> {
  tell(args, 'warning', `forage: a plain checkpoint, since ${(error as Error).message}`);
  return runcAs(args);
}

interface Dump {
  args: Arguments;
  link: NodeLink;
  container: Running;
  staged: string;
}

async function staging(dump: Dump): Promise<number> {
  const { args, container } = dump;
  const { root, id } = container.facts;
  const staysRunning = isSet(args, 'leave-running');
  const wasFrozen = await isFrozen(container);
  // The dump lets the processes go on at its end; what they have written is to be of the same moment.
  const freezes = process.env.FORAGE_CHECKPOINT_FREEZES === '1';
  const pauses = staysRunning && !wasFrozen && (freezes || container.upper !== undefined);
  const begunMs = wasFrozen ? performance.timeOrigin : Date.now();
  let status = 1;
  if (pauses) await runcOn(root, 'pause', id);
  try {
    status = await dumped(dump, begunMs);
    return status;
  } finally {
    if (pauses && !(freezes && status === 0)) await runcOn(root, 'resume', id);
  }
}

async function dumped({ args, link, container, staged }: Dump, begunMs: number): Promise<number> {
  const images = join(staged, 'images');
  const log = join(flagValue(args.flags, 'work-path') ?? images, 'dump.log');
  const imagePath = resolve(flagValue(args.flags, 'image-path') ?? 'checkpoint');
  await mkdir(images, { mode: 0o700 });
  const options = await dumpOptions(`/proc/${container.pid}`, join(staged, 'criu.conf'));
  const status = await runcAs(withValue(args, 'image-path', images), options);
  if (status !== 0) {
    tellCause(args, log);
    return status;
  }
  const staysRunning = isSet(args, 'leave-running');
  const [lost] = staysRunning ? linkedFiles(images) : [];
  if (lost !== undefined) {
    tell(
      args,
      'error',
      `${lost} was deleted, is open and has another name: that can be moved only by a checkpoint that stops the container`,
    );
    return 1;
  }
  try {
    const filesBytes =
      container.upper === undefined ? 0 : await copyTree(container.upper, join(staged, 'files'));
    await mkdir(imagePath, { recursive: true, mode: 0o700 });
    for (const name of KEPT) await copyIfThere(join(images, name), join(imagePath, name));
    const { taken } = await link.ask(
      {
        do: 'take',
        container: container.facts,
        running: staysRunning,
        frozenMs: Date.now() - begunMs,
        memoryBytes: await bytesIn(images),
        filesBytes,
        hasFiles: container.upper !== undefined,
      },
      'taken',
    );
    await writeFile(join(imagePath, REFERENCE_FILE), encodeReference(taken.reference));
    await shortenLog(log);
    return 0;
  } catch (error) {
    tell(
      args,
      'warning',
      `forage: the checkpoint is left as runc makes it, since ${(error as Error).message}`,
    );
    await moveInto(images, imagePath);
    return 0;
  }
}

/** With all attributes, whiteouts and holes. Answers its bytes. */
async function copyTree(from: string, to: string): Promise<number> {
  await mkdir(to, { mode: 0o700 });
  await run('cp', ['-a', '--reflink=auto', '--sparse=auto', `${from}/.`, to]);
  const { stdout } = await run('du', ['-s', '-B1', to]);
  return Number.parseInt(stdout, 10);
}

async function copyIfThere(from: string, to: string): Promise<void> {
  await copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function bytesIn(folder: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Across file systems, too. */
async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of await readdir(from)) {
    const [source, target] = [join(from, name), join(to, name)];
    await rename(source, target).catch(async () => {
      await cp(source, target);
      await rm(source);
    });
  }
}
