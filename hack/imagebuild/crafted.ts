/** Images whose layers are written entry by entry: what packages would never hold. */
import { dir, file, largeData, opaque, whiteout } from './entries.ts';
import { quirks } from './quirks.ts';
import { files, type Layer, type Recipe, slim, tar } from './recipe.ts';
import { changes, changesAgain, kinds, toBeChanged } from './torture.ts';

const busybox = slim('busybox-static');

/** An image with a shell, which says that it is there. */
const withShell = (layers: Layer[], more: Partial<Recipe> = {}): Recipe => ({
  layers: [busybox, ...layers],
  cmd: ['sh', '-c', 'while sleep 3600; do :; done'],
  smoke: {
    argv: ['sh', '-c', 'ls -la / >/dev/null && echo the shell is ready'],
    prints: 'the shell is ready',
  },
  ...more,
});

/** A layer of which some files are replaced, and some deleted, by layers above it. */
const tiny = (n: number): Layer =>
  tar(function* () {
    yield dir('layers/');
    yield file(`layers/${n}`, `layer ${n}`);
    yield file('layers/last', `${n}`);
    if (n % 10 === 9) yield whiteout(`layers/${n - 5}`);
    if (n === 50) yield opaque('layers');
  });

const tinyLayers = (count: number): Layer[] => Array.from({ length: count }, (_, n) => tiny(n));

export const crafted: Record<string, Recipe> = {
  busybox: withShell([files({ 'etc/motd': 'small\n' })]),
  torture: withShell([tar(kinds), tar(toBeChanged), tar(changes), tar(() => []), tar(changesAgain)]),
  'big-file': withShell([tar(() => [file('big', largeData(160))])]),
  'many-layers': withShell(tinyLayers(104)),
  'most-layers': withShell(tinyLayers(122)),
  ...Object.fromEntries(
    Object.entries(quirks).map(([name, { layers, end, refused }]) => [
      name,
      withShell(
        layers.map((entries) => tar(entries, end)),
        { refused },
      ),
    ]),
  ),
};
