/** The commands that show and steer the cluster, against a node in memory. */
import { join } from 'node:path';
import t from 'tap';
import type { AdminControl } from '../node/admin.ts';
import { controlTwin, someImages, someLayer, somePeers } from '../node/control.twin.ts';
import { forage, withNode } from './bed.twin.ts';

const WEB = someImages[0]!.name;

t.test('members are listed, this node first, with null for what is not known', async (t) => {
  const config = await withNode(t);
  const members = JSON.parse((await forage('peers', '--json', '--config', config)).out);
  t.same(
    members.map(({ name }: { name: string }) => name),
    ['n1', 'n2', 'n3'],
  );
  t.strictSame(members[1], {
    name: 'n2',
    address: '192.0.2.2:7400',
    state: 'alive',
    draining: true,
    link: 'up',
    rtt_ms: 1.25,
    bytes_per_second: 80_000_000,
    capacity_bytes: 64_000_000_000,
    owned_share: 0,
  });
  t.match(members[2], { rtt_ms: null, bytes_per_second: null });
});

t.test('members for people: a table with units', async (t) => {
  const { out } = await forage('peers', '--config', await withNode(t));
  const [head, ...rows] = out.trimEnd().split('\n');
  t.match(head, /^NODE +ADDRESS +STATE +LINK +ROUND TRIP +RATE +CAPACITY +OWNS$/);
  t.match(rows[0], /^n1 +192\.0\.2\.1:7400 +self +up +- +- +64\.0 GB +75 %$/);
  t.match(rows[1], /^n2 +192\.0\.2\.2:7400 +alive, draining +up +1\.3 ms +80\.0 MB\/s +64\.0 GB +0 %$/);
  t.equal(rows.length, 3);
});

t.test('a node without others: says how a machine becomes a member', async (t) => {
  const members = somePeers.filter(({ state }) => state === 'self');
  const { out } = await forage('peers', '--config', await withNode(t, { control: controlTwin({ members }) }));
  t.match(out, /^n1 .*\n\nNo other node yet\. .*cluster join/m);
});

t.test('images are listed by name, with how much of each is here', async (t) => {
  const config = await withNode(t);
  const listed = JSON.parse((await forage('images', '--json', '--config', config)).out);
  t.strictSame(listed[1], {
    name: WEB,
    digest: someImages[0]!.digest,
    created_ms: 1_700_000_000_000,
    nodes: ['n1', 'n2'],
    layers: 3,
    volumes: 2,
    block_bytes: 40_000_000,
    bytes_here: 10_000_000,
  });
  const { out } = await forage('images', '--config', config);
  t.match(out, /^registry\.example\/web:2 +abababababab +2023-11-14 +2\/3 +40\.0 MB +25 % +n1, n2$/m);
  t.match(out, /^registry\.example\/app:1 .* -$/m, 'pulled by nobody that is left');
});

t.test('no images: says how to get one; many nodes are counted', async (t) => {
  const none = { ...controlTwin(), images: async () => [] };
  t.match((await forage('images', '--config', await withNode(t, { control: none }))).out, /nerdctl pull/);
  const nodes = ['a', 'b', 'c', 'd', 'e', 'f'];
  const many = { ...controlTwin(), images: async () => [{ ...someImages[0]!, nodes }] };
  t.match(
    (await forage('images', '--config', await withNode(t, { control: many }))).out,
    / a, b, c, d, and 2 more$/m,
  );
});

t.test(
  'removing an image tells what goes, what stays, and what to do on nodes that still have it',
  async (t) => {
    const config = await withNode(t);
    const { status, out } = await forage('images', 'rm', WEB, '--config', config);
    t.equal(status, 0);
    t.match(out, /^freed +2 layers /m);
    t.match(out, /^shared +1 layer /m);
    t.match(
      out,
      /^Still in containerd, .*: n1, n2\n.*\n {2}nerdctl rmi registry\.example\/web:2\n {2}ctr images rm/m,
    );

    const unused = await forage('images', 'rm', 'registry.example/app:1', '--config', config, '--json');
    t.strictSame(JSON.parse(unused.out), {
      name: 'registry.example/app:1',
      layers_freed: 4,
      layers_shared: 1,
      still_used_by: [],
    });
  },
);

t.test('what the node refuses is its own words, on one line, and status 1', async (t) => {
  const alone = controlTwin({ members: [] });
  const config = await withNode(t, { control: alone });
  const cases: [string[], string][] = [
    [['images', 'rm', 'app:9'], 'no node of the cluster has pulled app:9'],
    [['prefetch', 'app:9', '--json'], 'no node of the cluster has pulled app:9'],
    [['drain'], 'there is no other node to give anything to'],
    [['verify', 'ab'.repeat(32)], `the cluster has no layer sha256:${'ab'.repeat(32)}`],
  ];
  for (const [args, message] of cases) {
    t.same(
      await forage(...args, '--config', config),
      { status: 1, out: '', err: `forage: ${message}\n` },
      args.join(' '),
    );
  }
});

t.test('collecting tells what went and what is left', async (t) => {
  const config = await withNode(t);
  t.equal(
    (await forage('gc', '--config', config)).out,
    'removed  12 blocks, 3.4 MB\nleft     1,234 blocks, 160.0 MB\n',
  );
  t.strictSame(JSON.parse((await forage('gc', '--json', '--config', config)).out), {
    blocks: 12,
    bytes: 3_400_000,
    left_blocks: 1234,
    left_bytes: 160_000_000,
  });
});

t.test('draining: progress on standard error, what comes next on standard output, and undone', async (t) => {
  const control = controlTwin();
  const config = await withNode(t, { control });
  const { status, out, err } = await forage('drain', '--config', config);
  t.equal(status, 0);
  t.match(
    err,
    /^drain: 0 %, 0 B of 10\.0 MB, 0 of 100 blocks\n(.*\n)?drain: 100 %, .*, 100 of 100 blocks\n$/,
  );
  t.match(out, /^Drained: 100 blocks, 10\.0 MB\.\n/);
  t.match(out, /^ {2}systemctl disable --now forage forage-volumes$/m);
  t.equal(control.draining, true);

  t.match((await forage('drain', '--undo', '--config', config)).out, /takes its part again/);
  t.equal(control.draining, false);
});

t.test('with --json long work prints one object and no progress', async (t) => {
  const config = await withNode(t);
  const json = async (...args: string[]) => {
    const { out, err } = await forage(...args, '--json', '--config', config);
    t.equal(err, '');
    return JSON.parse(out);
  };
  t.strictSame(await json('drain'), { drained: true, blocks: 100, bytes: 10_000_000 });
  t.strictSame(await json('drain', '--undo'), { drained: false });
  t.strictSame(await json('prefetch', WEB), { image: WEB, blocks: 100, bytes: 10_000_000 });
});

t.test('a prefetch tells that all is here', async (t) => {
  const { out, err } = await forage('prefetch', WEB, '--config', await withNode(t));
  t.equal(out, `All of ${WEB} is here: 100 blocks, 10.0 MB.\n`);
  t.match(err, /^prefetch: 0 %/);
});

t.test('work that fails on the way is status 1, below the progress so far', async (t) => {
  const control: AdminControl = {
    ...controlTwin(),
    async *prefetch() {
      yield { doneBlocks: 1, totalBlocks: 4, doneBytes: 100, totalBytes: 400 };
      throw new Error('inside');
    },
  };
  const { status, out, err } = await forage('prefetch', WEB, '--config', await withNode(t, { control }));
  t.equal(status, 1);
  t.equal(out, '');
  t.match(
    err,
    /^prefetch: 25 %, .*\nforage: the node at .* says: internal error; the node's log has the cause\n$/,
  );
});

t.test('a layer that matches is status 0, and one that does not is status 1', async (t) => {
  const good = await withNode(t);
  const bare = someLayer.diffId.slice('sha256:'.length);
  const { status, out } = await forage('verify', bare, '--config', good);
  t.equal(status, 0);
  t.match(out, /^It matches/m);
  t.match(out, /^made by +n1, n2$/m);

  const layer = { ...someLayer, derivedRoot: '99'.repeat(32), ingestedBy: [], matches: false };
  const bad = await withNode(t, { control: controlTwin({ layer }) });
  const other = await forage('verify', layer.chainId, '--config', bad);
  t.equal(other.status, 1);
  t.match(other.out, /^IT DOES NOT MATCH/m);
  const json = await forage('verify', layer.chainId, '--json', '--config', bad);
  t.equal(json.status, 1);
  t.strictSame(JSON.parse(json.out), {
    chain_id: layer.chainId,
    diff_id: layer.diffId,
    root: layer.root,
    format: layer.format,
    derived_root: layer.derivedRoot,
    ingested_by: [],
    matches: false,
  });
});

t.test('the file of a layer is named to the node by its absolute path', async (t) => {
  const control = controlTwin();
  const config = await withNode(t, { control });
  await forage('verify', someLayer.chainId, '--file', 'layer.tar', '--config', config);
  t.strictSame(control.verifiedFiles, [join(process.cwd(), 'layer.tar')]);
});

t.test('what is no layer is refused in words', async (t) => {
  const { status, err } = await forage('verify', 'latest', '--config', await withNode(t));
  t.equal(status, 1);
  t.match(err, /^forage: a layer is named by its chainID or diffID/);
});
