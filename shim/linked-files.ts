/**
 * Files that are open under a name that was deleted, and have another one: CRIU gives each a further name until the dump is over, and wants to
 * find it there when it restores. Source: images/{remap-file-path,fdinfo,regfile}.proto of CRIU 4.2.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fields, MAGIC, numberIn, records } from '../blocks/criu-image.ts';

/** Fields of what stands for a file, and of a file. */
const REMAP = { of: 1, type: 3 };
const FILE = { id: 2, regular: 3 };
const REGULAR = { name: 6 };
const LINKED = 0;

/** The names that they were opened by. Throws `CriuImageError`. */
export function linkedFiles(images: string): string[] {
  const path = join(images, 'remap-fpath.img');
  if (!existsSync(path)) return [];
  const linked = records(path, MAGIC.remaps).filter(
    (remap) => (numberIn(path, remap, REMAP.type) ?? LINKED) === LINKED,
  );
  const ids = new Set(linked.map((remap) => numberIn(path, remap, REMAP.of)));
  return ids.size === 0 ? [] : namesOf(join(images, 'files.img'), ids);
}

function namesOf(path: string, ids: ReadonlySet<number | undefined>): string[] {
  return records(path, MAGIC.files)
    .filter((file) => ids.has(numberIn(path, file, FILE.id)))
    .flatMap((file) => fields(path, file, FILE.regular))
    .flatMap((regular) => fields(path, regular, REGULAR.name))
    .map((name) => Buffer.from(name).toString());
}
