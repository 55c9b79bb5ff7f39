import t from 'tap';
import { mountsOf } from './mounts.ts';

const upper = '/var/lib/forage/snapshots/4000000/fs';
const work = '/var/lib/forage/snapshots/4000000/work';
const links = (count: number) =>
  Array.from({ length: count }, (_, i) => `/run/forage/l/${String(i).padStart(4, '0')}`);
const bind = (source: string, access: string) => [
  { type: 'bind', source, target: '', options: [access, 'rbind'] },
];

t.test('on nothing, a snapshot is its own directory', async (t) => {
  t.same(mountsOf({ kind: 'active', upper, work, lowers: [] }), bind(upper, 'rw'));
  t.same(mountsOf({ kind: 'view', upper, work, lowers: [] }), bind(upper, 'ro'));
});

t.test('a view of one layer is that layer, read-only', async (t) => {
  t.same(mountsOf({ kind: 'view', upper, work, lowers: links(1) }), bind('/run/forage/l/0000', 'ro'));
});

t.test('all else is an overlay, with the features off that depend on the kernel', async (t) => {
  const features = ['index=off', 'metacopy=off', 'redirect_dir=off'];
  t.same(mountsOf({ kind: 'active', upper, work, lowers: links(1) })[0], {
    type: 'overlay',
    source: 'overlay',
    target: '',
    options: [`workdir=${work}`, `upperdir=${upper}`, 'lowerdir=/run/forage/l/0000', ...features],
  });
  const [view] = mountsOf({ kind: 'view', upper, work, lowers: links(2) });
  t.same(view!.options, ['lowerdir=/run/forage/l/0000:/run/forage/l/0001', ...features]);
});

t.test('128 layers fit in the page that the kernel takes', async (t) => {
  const [overlay] = mountsOf({ kind: 'active', upper, work, lowers: links(128) });
  t.ok(overlay!.options.join(',').length < 4096);
});
