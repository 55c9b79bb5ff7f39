import { readdir, writeFile } from 'node:fs/promises';
import t from 'tap';
import { Bed, REFERENCE } from './bed.twin.ts';

t.test('other verbs go to runc as they are, its exit status comes back', async (t) => {
  const bed = await Bed.make(t);
  const argv = ['--root', '/checkpoint', '--log-format', 'json', 'kill', '--all', 'restore', 'KILL'];
  t.match(await bed.run(argv), { status: 0 });
  t.equal(await bed.text('calls'), `${argv.join(' ')}\n`);
});

t.test('a dump goes to the node, and a reference of a few bytes stays', async (t) => {
  const bed = await Bed.make(t);
  await bed.node(t, bed.well);
  t.match(await bed.run(bed.checkpoint('--leave-running')), { status: 0 });
  t.same((await readdir(bed.path('images'))).sort(), [
    ...['descriptors.json', 'forage-checkpoint.json', 'inventory.img'],
  ]);
  t.same(JSON.parse(await bed.text('images/forage-checkpoint.json')), REFERENCE);
  t.equal(await bed.text('staged/images/pages-1.img'), 'pages\n');
  t.match(bed.asked, [
    { do: 'stage', container: 'c1' },
    {
      do: 'take',
      container: { id: 'c1', namespace: '', bundle: bed.path('bundle'), root: bed.path('root'), lowers: [] },
      running: true,
      hasFiles: false,
    },
  ]);
  const call = (await bed.text('calls')).split('\n').find((line) => line.includes('--leave-running'));
  t.match(call, / --file-locks c1$/, 'flags that runc knows are added');
  t.notMatch(call, 'tcp-close', 'others are not');
});

t.test(
  "CRIU's log of a dump is cut to its end once the node has it, since CRI's archives carry it",
  async (t) => {
    const lines = Array.from({ length: 10_000 }, (_, i) => `(00.01) line ${i}\n`).join('');
    for (const isTaken of [true, false]) {
      const bed = await Bed.make(t);
      await bed.node(t, (request, socket) =>
        request.do === 'take' && !isTaken ? undefined : bed.well(request, socket),
      );
      await writeFile(bed.path('work/dump.log'), lines);
      t.match(await bed.run(bed.checkpoint()), { status: 0 });
      const left = await bed.text('work/dump.log');
      if (isTaken) t.match(left, /^\(00\.01\) line \d+\n/, 'from the beginning of a line');
      t.ok(lines.endsWith(left));
      t.equal(left.length <= 4096, isTaken);
    }
  },
);

t.test('a container that is to stay frozen does, and goes on when its dump fails', async (t) => {
  for (const fails of [false, true]) {
    const bed = await Bed.make(t);
    await bed.node(t, bed.well);
    const env = { FORAGE_CHECKPOINT_FREEZES: '1', ...(fails && { RUNC_FAILS: '1' }) };
    t.match(await bed.run(bed.checkpoint('--leave-running'), env), { status: Number(fails) });
    const calls = (await bed.text('calls'))
      .split('\n')
      .map((call) => /pause|checkpoint|resume/.exec(call)?.[0]);
    const verbs = calls.filter((verb, i) => verb !== undefined && verb !== calls[i - 1]);
    t.same(verbs.slice(-2 - Number(fails)), ['pause', 'checkpoint', ...(fails ? ['resume'] : [])]);
  }
});

t.test('without a node it is a plain checkpoint, and the log says so', async (t) => {
  const bed = await Bed.make(t);
  t.match(await bed.run(bed.checkpoint()), { status: 0 });
  t.equal(await bed.text('images/pages-1.img'), 'pages\n');
  t.match(JSON.parse(await bed.text('log.json')), {
    level: 'warning',
    msg: /plain checkpoint.*no node answers/,
  });
});

t.test('a node that refuses before the dump leaves a plain checkpoint', async (t) => {
  const bed = await Bed.make(t);
  await bed.node(t, () => ({ error: 'there is no room' }));
  t.match(await bed.run(bed.checkpoint()), { status: 0 });
  t.equal(await bed.text('images/pages-1.img'), 'pages\n');
  t.match(JSON.parse(await bed.text('log.json')), { msg: /there is no room/ });
});

t.test('a node that goes away after the dump loses nothing of it', async (t) => {
  for (const answer of [undefined, { error: 'the disk is full' }]) {
    const bed = await Bed.make(t);
    await bed.node(t, (request, socket) => (request.do === 'take' ? answer : bed.well(request, socket)));
    t.match(await bed.run(bed.checkpoint()), { status: 0 });
    t.equal(await bed.text('images/pages-1.img'), 'pages\n');
    t.notOk((await readdir(bed.path('images'))).includes('forage-checkpoint.json'));
    t.match(await bed.text('log.json'), /left as runc makes it/);
  }
});

t.test("runc's failure is the caller's: its words, its status, nothing taken", async (t) => {
  const bed = await Bed.make(t);
  await bed.node(t, bed.well);
  const failed = await bed.run(bed.checkpoint(), { RUNC_FAILS: '1' });
  t.same(failed, { status: 1, stderr: 'criu failed: no reason\n' });
  t.notOk(bed.asked.some((request) => request.do === 'take'));
});

t.test("CRIU's own errors are told where runc only names its log", async (t) => {
  const bed = await Bed.make(t);
  await bed.node(t, bed.well);
  await writeFile(
    bed.path('work/dump.log'),
    '(00.01) all is well\n(00.02) Error (criu/x.c:7): no such thing\n',
  );
  await bed.run(bed.checkpoint(), { RUNC_FAILS: '1' });
  t.match(JSON.parse(await bed.text('log.json')), {
    level: 'error',
    msg: 'criu failed to checkpoint: Error (criu/x.c:7): no such thing',
  });
});

t.test('a wished name is handed on', async (t) => {
  const bed = await Bed.make(t);
  await bed.node(t, bed.well);
  await bed.run(bed.checkpoint(), { FORAGE_CHECKPOINT_NAME: 'mine' });
  t.match(bed.asked[0], { do: 'stage', name: 'mine' });
});
