import t from 'tap';
import { kind } from './bed.twin.ts';
import { updateLabels } from './field-mask.ts';

const before = { a: '1', b: '2' };

t.test('no fields: all labels are replaced', async (t) => {
  t.same(updateLabels(before, { c: '3' }, []), { c: '3' });
});

t.test('`labels` replaces all, `labels.<name>` one', async (t) => {
  t.same(updateLabels(before, { c: '3' }, ['labels']), { c: '3' });
  t.same(updateLabels(before, { a: 'x', c: '3' }, ['labels.a']), { a: 'x', b: '2' });
  t.same(updateLabels(before, { 'x.y/z': '3' }, ['labels.x.y/z']), { ...before, 'x.y/z': '3' });
});

t.test('an absent or empty value removes the label', async (t) => {
  t.same(updateLabels(before, {}, ['labels.a']), { b: '2' });
  t.same(updateLabels(before, { a: '', c: '3' }, []), { c: '3' });
});

t.test('any other field is an invalid argument', async (t) => {
  t.throws(() => updateLabels(before, {}, ['labels.a', 'parent']), kind('invalid-argument'));
});
