/** Writable volumes applied through a real overlay, as root: what comes out is what the container had. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { listTree } from '../integration/lib/tree.ts';
import { applyFiles } from './apply.ts';

const sh = (script: string, ...args: string[]) =>
  execFileSync('bash', ['-euc', script, 'bash', ...args], { encoding: 'utf8' });

/** A container's root file system on `lower`, changed by `change`; answers where it is seen, and its upper directory. */
function overlay(t: Test, folder: string, name: string): { merged: string; upper: string } {
  const base = join(folder, name);
  for (const part of ['upper', 'work', 'merged']) mkdirSync(join(base, part), { recursive: true });
  const [upper, merged] = [join(base, 'upper'), join(base, 'merged')];
  const options = `lowerdir=${folder}/lower,upperdir=${upper},workdir=${base}/work,index=off,metacopy=off,redirect_dir=off`;
  sh('mount -t overlay overlay -o "$1" "$2"', options, merged);
  t.teardown(() => sh('umount "$1"', merged));
  return { merged, upper };
}

t.test('changed, deleted, replaced and new files of every kind', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forage-apply-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  sh(
    `mkdir -p "$1/lower" && cd "$1/lower"
     mkdir -p keep/deep gone replaced merged filled; echo a > keep/deep/file; echo b > gone/file; echo c > replaced/old
     echo d > merged/old; echo e > deleted; echo f > changed; echo g > becomes-folder; mkdir becomes-file; echo h > becomes-file/x`,
    folder,
  );
  const before = overlay(t, folder, 'before');
  sh(
    `cd "$1"; rm -r gone replaced deleted becomes-folder becomes-file
     mkdir replaced becomes-folder; echo new > replaced/new; echo in > becomes-folder/in; echo file > becomes-file
     echo more > merged/new; echo changed >> changed; chmod 4750 changed; chown 12:34 changed; touch -d @1.5 changed
     ln changed hard; ln -s /no/where soft; mkfifo fifo; mknod device c 1 3; truncate -s 1M sparse; printf end >> sparse
     setfattr -n user.hello -v world changed; chmod 711 merged; printf x > "$(printf 'odd\\nname\\377')"; : > -dash`,
    before.merged,
  );
  const after = overlay(t, folder, 'after');
  await applyFiles([before.upper], after.merged);
  const byPath = (root: string) =>
    new Map(
      listTree(root)
        .filter(({ path }) => path !== '.')
        .map((entry) => [entry.path, entry]),
    );
  const [wanted, found] = [byPath(before.merged), byPath(after.merged)];
  t.same([...found.keys()], [...wanted.keys()]);
  for (const [path, entry] of wanted) t.same(found.get(path), entry, path);
});

t.test('several volumes, the upper ones last; nothing at all is nothing to do', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forage-apply-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  sh(
    'mkdir -p "$1"/lower "$1"/one "$1"/two; echo 1 > "$1/one/file"; echo 2 > "$1/two/file"; echo a > "$1/one/a"',
    folder,
  );
  const { merged } = overlay(t, folder, 'after');
  await applyFiles([join(folder, 'one'), join(folder, 'two')], merged);
  t.equal(sh('cat "$1/file" "$1/a"', merged), '2\na\n');
  await applyFiles([], merged);
});

t.test('a root file system that cannot be written is an error with its cause', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'forage-apply-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  sh('mkdir "$1/volume"; echo 1 > "$1/volume/file"', folder);
  await t.rejects(
    applyFiles([join(folder, 'volume')], join(folder, 'absent')),
    /could not be applied: .*absent/s,
  );
});
