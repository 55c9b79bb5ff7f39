/**
 * Writes the upper folder of an overlay mount as an OCI layer: overlayfs's own marks (a device 0/0 for what was
 * deleted, an xattr for an opaque directory) become `.wh.` files, everything else is GNU tar's work.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough, type Readable } from 'node:stream';
import { run } from '../testbed/run.ts';

/** GNU tar as a layer wants it: no names of users, no private xattrs, and the same bytes each time. */
const TAR_OPTIONS = [
  '--format=pax',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--numeric-owner',
  '--xattrs',
  '--xattrs-include=user.*',
  '--xattrs-include=security.capability',
  '--no-recursion',
  '--null',
  '--verbatim-files-from',
];

/**
 * The tar of `upper`, an upper folder that is mounted no more. `lowers` are the layers below it; `scratch` is an
 * empty folder for the whiteout files. The stream fails if tar does.
 */
export async function tarOfUpper(upper: string, lowers: string[], scratch: string): Promise<Readable> {
  const paths: string[] = [];
  const whiteouts: string[] = [];
  const opaque = await opaqueDirectories(upper);
  const visit = (folder: string) => {
    for (const name of readdirSync(join(upper, folder)).sort()) {
      const path = join(folder, name);
      const stat = lstatSync(join(upper, path));
      if (stat.isCharacterDevice() && stat.rdev === 0) {
        whiteouts.push(join(folder, `.wh.${name}`));
        continue;
      }
      paths.push(path);
      if (!stat.isDirectory()) continue;
      // The kernel marks every new directory; only one that hides something needs the mark.
      if (opaque.has(path) && lowers.some((lower) => existsSync(join(lower, path))))
        whiteouts.push(join(path, '.wh..wh..opq'));
      visit(path);
    }
  };
  visit('');
  return tarOfLists(upper, paths, join(scratch, 'whiteouts'), whiteouts, scratch);
}

async function opaqueDirectories(upper: string): Promise<Set<string>> {
  const listing = await run('getfattr', [
    '-R',
    '-h',
    '-P',
    '-m',
    '^trusted\\.overlay\\.opaque$',
    '--absolute-names',
    upper,
  ]);
  const files = [...listing.matchAll(/^# file: (.*)$/gm)].map((match) => match[1]!);
  return new Set(files.map((file) => file.slice(upper.length + 1)));
}

function tarOfLists(
  upper: string,
  paths: string[],
  whiteoutRoot: string,
  whiteouts: string[],
  scratch: string,
): Readable {
  mkdirSync(whiteoutRoot, { recursive: true });
  for (const path of whiteouts) {
    mkdirSync(join(whiteoutRoot, dirname(path)), { recursive: true });
    writeFileSync(join(whiteoutRoot, path), '');
  }
  const list = (name: string, items: string[]) => {
    writeFileSync(join(scratch, name), items.map((item) => `${item}\0`).join(''));
    return ['-T', join(scratch, name)];
  };
  const args = [
    ...TAR_OPTIONS,
    '-c',
    ...['-C', upper, ...list('paths', paths)],
    ...['-C', whiteoutRoot, ...list('marks', whiteouts)],
  ];
  const tar = spawn('tar', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const stream = new PassThrough();
  let errors = '';
  tar.stderr.on('data', (text: Buffer) => {
    errors += text;
  });
  tar.stdout.pipe(stream, { end: false });
  // The end of the stream is the end of tar itself: a failure must not look like a short archive.
  once(tar, 'close').then(
    ([status]) => (status === 0 ? stream.end() : stream.destroy(new Error(`tar: ${errors.slice(-2000)}`))),
    (error: Error) => stream.destroy(error),
  );
  return stream;
}
