/** What is remembered of members over a restart. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { openLastMembers } from './last-members.ts';

t.test(
  'the addresses of who was there last are there after a restart, and are not forgotten when all go',
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'forage-members-'));
    t.teardown(() => rm(dir, { recursive: true }));
    const first = open<string[], string>({ path: dir });
    const before = openLastMembers(first);
    t.same(before.addresses(), []);
    before.keep(['n3:7401', 'n2:7401']);
    before.keep([]);
    t.same(before.addresses(), ['n2:7401', 'n3:7401']);
    await first.close();
    const second = open<string[], string>({ path: dir });
    t.teardown(() => second.close());
    const after = openLastMembers(second);
    t.same(after.addresses(), ['n2:7401', 'n3:7401']);
    after.keep(Array.from({ length: 100 }, (_, i) => `m${i}:7401`));
    t.equal(after.addresses().length, 16);
  },
);
