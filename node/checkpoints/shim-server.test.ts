import { once } from 'node:events';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { type Answer, answerSchema, messages, type Request, send } from '../../shim/protocol.ts';
import { RefusedError } from '../control.ts';
import { listenShim, type ShimHandlers } from './shim-server.ts';

const reference = { forage: 1, checkpoint: 'web-1', nonce: 'ab'.repeat(16) } as const;
const container = { id: 'web', namespace: 'default', bundle: '/b', root: '/r', lowers: [] };
const stage: Request = { do: 'stage', container: 'web', bytes: 7 };
const take: Request = {
  do: 'take',
  container,
  running: true,
  frozenMs: 1,
  memoryBytes: 1,
  filesBytes: 1,
  hasFiles: true,
};

async function serving(t: Test, more: Partial<ShimHandlers> = {}) {
  const done: string[] = [];
  const handlers: ShimHandlers = {
    stage: async () => ({ staged: '/s', id: 'web-1', flags: [] }),
    abandon: async (staged) => void done.push(`abandoned ${staged}`),
    take: async (id) => {
      done.push(`taken ${id}`);
      return reference;
    },
    restore: async () => ({
      answer: { images: '/m', files: [], flags: [], lazy: true },
      event: ({ event }) => void done.push(event),
      touched: (pages) => void done.push(`touched ${JSON.stringify(pages)}`),
      release: async () => void done.push('released'),
    }),
    ...more,
  };
  const folder = await mkdtemp(join(tmpdir(), 'forage-shim-server-'));
  const path = join(folder, 'shim.sock');
  await writeFile(path, 'left by a crash');
  const server = await listenShim(path, handlers, pino({ level: 'silent' }));
  const sockets: Socket[] = [];
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  const dial = async () => {
    const socket = connect(path);
    sockets.push(socket);
    await once(socket, 'connect');
    const answers = messages(socket, answerSchema);
    const ask = async (request: Request | object) => {
      send(socket, request as Request);
      return (await answers.next()).value as Answer | undefined;
    };
    return { socket, ask, next: async () => (await answers.next()).value };
  };
  return { path, done, dial };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

t.test('only root may use the socket', async (t) => {
  const { path } = await serving(t);
  t.equal((await stat(path)).mode & 0o777, 0o600);
});

t.test('a dump that is taken is not abandoned', async (t) => {
  const { done, dial } = await serving(t);
  const { ask, next } = await dial();
  t.same(await ask(stage), { staged: '/s', id: 'web-1', flags: [] });
  t.same(await ask(take), { taken: { reference } });
  t.equal(await next(), undefined, 'the connection ends');
  t.same(done, ['taken web-1']);
});

t.test('a shim that dies before its dump is taken leaves nothing', async (t) => {
  const { done, dial } = await serving(t);
  const { socket, ask } = await dial();
  await ask(stage);
  t.same(done, []);
  socket.destroy();
  await until(() => done.length > 0);
  t.same(done, ['abandoned /s']);
});

t.test('a dump that cannot be taken stays until the shim has moved it elsewhere', async (t) => {
  const refuse = async () => Promise.reject(new Error('the disk is full'));
  const { done, dial } = await serving(t, { take: refuse });
  const { socket, ask } = await dial();
  await ask(stage);
  t.same(await ask(take), { error: 'the disk is full' });
  t.same(done, []);
  socket.destroy();
  await until(() => done.length > 0);
  t.same(done, ['abandoned /s']);
});

t.test('a restore is held by its connection, and told of by events', async (t) => {
  const { done, dial } = await serving(t);
  const { socket, ask } = await dial();
  const answer = await ask({ do: 'restore', reference, container });
  t.same(answer, { restore: { images: '/m', files: [], flags: [], lazy: true } });
  t.same(await ask({ do: 'event', event: 'running' }), { ok: true });
  t.same(await ask({ do: 'touched', pages: [[1, 7, 2]] }), { ok: true });
  t.same(await ask({ do: 'event', event: 'killed', reason: 'why' }), { ok: true });
  t.same(done, ['running', 'touched [[1,7,2]]', 'killed']);
  socket.destroy();
  await until(() => done.length > 3);
  t.same(done[3], 'released');
});

t.test('what is refused is told in its words', async (t) => {
  const refuse = async () => Promise.reject(new RefusedError('absent', 'there is no such checkpoint'));
  const { dial } = await serving(t, { stage: refuse, restore: refuse });
  t.same(await (await dial()).ask(stage), { error: 'there is no such checkpoint' });
  t.same(await (await dial()).ask({ do: 'restore', reference, container }), {
    error: 'there is no such checkpoint',
  });
});

t.test('what is not the protocol ends the connection with an error', async (t) => {
  const { done, dial } = await serving(t);
  for (const wrong of [take, { do: 'event', event: 'running' }, { do: 'stage' }, { do: 'hello' }, 7]) {
    const { ask, next } = await dial();
    t.match(await ask(wrong as object), { error: /other side/ }, JSON.stringify(wrong));
    t.equal(await next(), undefined);
  }
  const { socket, next } = await dial();
  socket.write(Buffer.alloc(2 << 20, 'x'));
  t.match(await next(), { error: /without end/ });
  t.same(done, []);
});
