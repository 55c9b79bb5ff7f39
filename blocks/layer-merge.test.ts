/** The judge of joined layers is overlayfs: what it shows of all of them, it shows of the one that they became. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listTree } from '../integration/lib/tree.ts';
import { diffTrees } from '../integration/lib/tree-diff.ts';
import { runCheckpointIngest } from './ingest-child.ts';
import { openBlockStore } from './store.ts';
import { assemble, mkfsProgram, mountImage, overlay, scratch, seededPick, setXattr } from './testing.ts';
import { openVolumeStore } from './volumes.ts';

const NAMES = ['a', 'b', 'c'];
const ROUNDS = 4;
const typeAt = (path: string) => lstatSync(path, { throwIfNoEntry: false });

/** A name of few, at any depth, whose folder is there. */
function somewhere(root: string, pick: (limit: number) => number): string {
  let path = root;
  for (let depth = 0; depth < 3; depth++) {
    path = join(path, NAMES[pick(NAMES.length)]!);
    if (!typeAt(path)?.isDirectory() || pick(3) === 0) break;
  }
  return path;
}

/**
 * What each layer does to two folders of the base, made anew and once a file, so that nothing of the base is to be seen in them; and to one that
 * the base does not have.
 */
const ALWAYS: ((at: (name: string) => string) => void)[] = [
  (at) => {
    for (const folder of ['x', 'y']) rmSync(at(folder), { recursive: true });
    mkdirSync(at('x'));
    mkdirSync(at('fresh'));
    for (const file of ['x/gone', 'fresh/gone', 'fresh/kept']) writeFileSync(at(file), file);
    writeFileSync(at('y'), 'a file');
  },
  (at) => {
    writeFileSync(at('x/new'), 'x');
    rmSync(at('x/gone'));
    rmSync(at('fresh/gone'));
    rmSync(at('y'));
    mkdirSync(at('y'));
  },
  (at) => writeFileSync(at('y/new'), 'y'),
  () => {},
];

/** One change as programs make them; what is in the way goes first. */
function change(root: string, pick: (limit: number) => number, n: number): void {
  const path = somewhere(root, pick);
  const fresh = () => rmSync(path, { recursive: true, force: true });
  const actions = [
    fresh,
    () => {
      fresh();
      mkdirSync(path);
    },
    () => {
      fresh();
      writeFileSync(path, `file ${n}`);
    },
    () => {
      fresh();
      symlinkSync(`to ${n}`, path);
    },
    () => {
      if (!typeAt(path)) mkdirSync(path);
      if (typeAt(path)!.isSymbolicLink()) return;
      chmodSync(path, 0o700 + pick(64));
      setXattr(path, 'user.n', Buffer.from([n & 255]));
    },
    () => {
      const from = somewhere(root, pick);
      if (!typeAt(from) || path.startsWith(`${from}/`) || from.startsWith(`${path}/`) || path === from)
        return;
      fresh();
      if (typeAt(from)!.isDirectory()) copyFolder(from, path);
      else if (pick(2) === 0) renameSync(from, path);
      else linkSync(from, path);
    },
  ];
  actions[pick(actions.length)]!();
}

/** A folder of the lower layers cannot be renamed (EXDEV), so programs copy it. */
function copyFolder(from: string, to: string): void {
  execFileSync('cp', ['-a', from, to]);
}

async function shownAlike(t: Test, pick: (limit: number) => number): Promise<void> {
  const dir = scratch(t);
  const base = join(dir, 'base');
  mkdirSync(base);
  for (let n = 0; n < 60; n++) change(base, pick, n);
  for (const folder of ['x', 'y']) {
    mkdirSync(join(base, folder));
    writeFileSync(join(base, folder, 'old'), folder);
  }
  const uppers: string[] = [];
  let point = base;
  for (const [layer, always] of ALWAYS.entries()) {
    const [upper, work] = [join(dir, `upper-${layer}`), join(dir, `work-${layer}`)];
    for (const path of [upper, work]) mkdirSync(path);
    const lowers = [...uppers, base].join(':');
    point = await overlay(
      t,
      join(dir, `view-${layer}`),
      `lowerdir=${lowers},upperdir=${upper},workdir=${work}`,
    );
    for (let n = 0; n < 25; n++) change(point, pick, 100 * layer + n);
    always((name) => join(point, name));
    uppers.unshift(upper);
  }
  const truth = listTree(point);

  const folders = {
    blocksDir: join(dir, 'blocks'),
    volumesDir: join(dir, 'volumes'),
    tempDir: join(dir, 'tmp'),
  };
  const [directory, ...below] = uppers;
  const { root } = await runCheckpointIngest({
    ...{
      of: 'files',
      id: 'c1',
      directory: directory!,
      joins: { volumes: below, layers: [base] },
      compression: 'lz4',
    },
    ...{ ...folders, pageNamesDir: join(dir, 'page-names'), mkfs: mkfsProgram() },
  });
  const volumes = await openVolumeStore(folders.volumesDir);
  const image = await assemble(dir, (await volumes.get(root))!, await openBlockStore(folders.blocksDir));
  const joined = await overlay(t, join(dir, 'joined'), `lowerdir=${await mountImage(t, image)}:${base}`);
  // The root's own attributes are those of the uppermost layer, which a lower one never is.
  t.same(diffTrees(truth.slice(1), listTree(joined).slice(1)), []);
}

t.test('joined with those it lies on, a writable volume shows what all of them showed', async (t) => {
  const pick = seededPick(t);
  for (let round = 0; round < ROUNDS; round++) await shownAlike(t, pick);
});
