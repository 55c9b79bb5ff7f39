import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { MAGIC } from '../blocks/criu-image.ts';
import { image, message, scratch } from '../blocks/testing.ts';
import { linkedFiles } from './linked-files.ts';

const REGULAR = 1;
const [LINKED, GHOST] = [0, 1];
const file = (id: number, name: string) =>
  message([1, REGULAR], [2, id], [3, message([1, id], [6, Buffer.from(name)])]);
const remap = (of: number, by: number, type: number) => message([1, of], [2, by], [3, type]);

t.test('files that were deleted and have another name are told from those that are gone', (t) => {
  const images = scratch(t);
  t.same(linkedFiles(images), []);
  const files = [file(1, '/w/gone'), file(2, '/w/linked'), file(3, '/w/there')];
  writeFileSync(join(images, 'files.img'), image(MAGIC.files, ...files));
  writeFileSync(join(images, 'remap-fpath.img'), image(MAGIC.remaps, remap(1, 8, GHOST)));
  t.same(linkedFiles(images), []);
  const both = image(MAGIC.remaps, remap(1, 8, GHOST), remap(2, 9, LINKED));
  writeFileSync(join(images, 'remap-fpath.img'), both);
  t.same(linkedFiles(images), ['/w/linked']);
  t.end();
});
