import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { lowerDirectoryIn } from './layer-lower.ts';
import { scratch, setXattr } from './testing.ts';

t.test('attributes come from the nearest layer that has the path', async (t) => {
  const [near, middle, far] = [scratch(t), scratch(t), scratch(t)];
  const lower = lowerDirectoryIn([near, middle, far]);
  const make = (path: string, mode: number, uid: number) => {
    mkdirSync(path, { recursive: true });
    chmodSync(path, mode);
    chownSync(path, uid, uid + 1);
  };
  make(`${far}/usr/share`, 0o750, 1);
  make(`${far}/only`, 0o2711, 2);
  make(`${middle}/usr/share`, 0o1777, 3);
  writeFileSync(`${near}/only`, 'a file hides the directory');
  t.match(lower(['usr', 'share']), { mode: 0o1777, uid: 3, gid: 4 });
  t.equal(lower(['only']), undefined);
  t.equal(lower(['nowhere', 'at', 'all']), undefined);
  t.equal(lower(['only', 'below-a-file']), undefined);
});

t.test('each layer follows its own symlinks, inside itself', async (t) => {
  const [near, far] = [scratch(t), scratch(t)];
  mkdirSync(`${far}/usr/lib`, { recursive: true, mode: 0o711 });
  symlinkSync('usr/lib', `${far}/lib`);
  symlinkSync('/../../usr', `${far}/up`);
  const lower = lowerDirectoryIn([near, far]);
  t.match(lower(['lib']), { mode: 0o711 });
  t.match(lower(['up', 'lib']), { mode: 0o711 });
});

t.test("xattrs come along, but neither trusted ones nor the machine's own labels", async (t) => {
  const layer = scratch(t);
  mkdirSync(`${layer}/d`);
  for (const name of ['user.a', 'trusted.b', 'security.c']) setXattr(`${layer}/d`, name, Buffer.from('v'));
  t.same([...lowerDirectoryIn([layer])(['d'])!.xattrs.keys()].sort(), ['security.c', 'user.a']);
});
