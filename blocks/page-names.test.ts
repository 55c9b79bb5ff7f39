import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openPageNames } from './page-names.ts';
import { scratch } from './testing.ts';

const root = (i: number) => i.toString(16).padStart(64, '0');

t.test('names are what was put, and only of that volume', (t) => {
  const directory = join(scratch(t), 'names');
  const names = Uint32Array.from({ length: 400 }, (_, i) => i * 12345);
  openPageNames(directory).put(root(1), names);
  t.same(openPageNames(directory).get(root(1)), names);
  t.equal(openPageNames(directory).get(root(2)), undefined);
  writeFileSync(join(directory, root(2)), readFileSync(join(directory, root(1))));
  t.equal(openPageNames(directory).get(root(2)), undefined);
  t.end();
});

t.test('a file that was cut off or has changed is not believed', (t) => {
  const directory = join(scratch(t), 'names');
  openPageNames(directory).put(
    root(1),
    Uint32Array.from({ length: 400 }, (_, i) => i),
  );
  const bytes = readFileSync(join(directory, root(1)));
  const changed = Buffer.from(bytes);
  changed[700]! ^= 1;
  for (const other of [bytes.subarray(0, bytes.length - 16), changed, Buffer.alloc(0)]) {
    writeFileSync(join(directory, root(1)), other);
    t.equal(openPageNames(directory).get(root(1)), undefined);
  }
  t.end();
});

t.test('the oldest are forgotten, and what a killed process has left', (t) => {
  const directory = join(scratch(t), 'names');
  const store = openPageNames(directory);
  for (let i = 0; i < 20; i++) {
    store.put(root(i), Uint32Array.of(1, 2, 3, i));
    utimesSync(join(directory, root(i)), i, i);
  }
  writeFileSync(join(directory, `${root(99)}.new`), 'cut');
  store.put(root(20), Uint32Array.of(1, 2, 3, 4));
  t.same(
    readdirSync(directory).sort(),
    Array.from({ length: 16 }, (_, i) => root(i + 5)),
  );
  t.end();
});
