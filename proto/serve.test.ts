import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, Server, ServerCredentials, status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { call, callStream } from './call.ts';
import { PeersService, peer } from './peer.ts';
import { type Handlers, implement } from './serve.ts';

const BLOCK = new Uint8Array(64 * 1024).fill(3);

/** A server and a client of the peer service on a unix socket, ended with the test. */
async function connect(t: Test, handlers: Partial<Handlers<typeof PeersService>>): Promise<Client> {
  const folder = mkdtempSync(join(tmpdir(), 'forage-serve-'));
  const server = new Server();
  const refuse = async () => Promise.reject(new Error('not in this test'));
  const all = { ping: refuse, pin: refuse, getVolume: nothing, restore: nothing, ...handlers };
  server.addService(
    PeersService,
    implement(PeersService, all, (error) => ({
      code: status.DATA_LOSS,
      details: `told: ${(error as Error).message}`,
    })),
  );
  const address = `unix:${join(folder, 'socket')}`;
  await new Promise((resolve) => server.bindAsync(address, ServerCredentials.createInsecure(), resolve));
  const client = new Client(address, credentials.createInsecure());
  t.teardown(() => {
    client.close();
    server.forceShutdown();
    rmSync(folder, { recursive: true });
  });
  return client;
}

async function* nothing() {}

t.test('a unary call answers with what the handler returns', async (t) => {
  const client = await connect(t, {
    pin: async (request, { headers }) =>
      new peer.PinReply().setAnswers(
        Uint8Array.of(request.getIds_asU8()[0]!, String(headers.get('x-name')[0]).length),
      ),
  });
  const request = new peer.PinRequest().setIds(Uint8Array.of(7));
  const reply = await call(client, PeersService.pin, request, { headers: { 'x-name': 'n1' } });
  t.same([...reply.getAnswers_asU8()], [7, 2]);
});

t.test('an error of a unary or streaming handler goes through the one table', async (t) => {
  const client = await connect(t, {
    ping: async () => Promise.reject(new Error('unary')),
    getVolume: async function* () {
      yield new peer.GetVolumeReply();
      throw new Error('stream');
    },
  });
  await t.rejects(call(client, PeersService.ping, new peer.PingRequest()), {
    code: status.DATA_LOSS,
    details: 'told: unary',
  });
  await t.rejects(collect(callStream(client, PeersService.getVolume, new peer.GetVolumeRequest())), {
    code: status.DATA_LOSS,
    details: 'told: stream',
  });
});

t.test('a stream is no faster than its reader, and whole', async (t) => {
  let sent = 0;
  const client = await connect(t, {
    getVolume: async function* () {
      for (; sent < 400; sent++) yield new peer.GetVolumeReply().setIndex(BLOCK);
    },
  });
  const replies = callStream(client, PeersService.getVolume, new peer.GetVolumeRequest());
  let received = 0;
  for await (const reply of replies) {
    if (received++ === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    if (received === 1) t.ok(sent < 400, 'the handler waits for the reader');
    t.equal(reply.getIndex_asU8().length, BLOCK.length);
  }
  t.equal(received, 400);
});

t.test('leaving the loop, an abort or a deadline ends the handler', async (t) => {
  let ended = 0;
  const client = await connect(t, {
    getVolume: async function* () {
      try {
        for (;;) yield new peer.GetVolumeReply().setIndex(BLOCK);
      } finally {
        ended++;
      }
    },
    ping: (_, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => {
          ended++;
          reject(signal.reason);
        }),
      ),
  });
  for await (const _ of callStream(client, PeersService.getVolume, new peer.GetVolumeRequest())) break;
  const abort = new AbortController();
  setTimeout(() => abort.abort(), 10);
  const cancelled = { code: status.CANCELLED };
  const { signal } = abort;
  await t.rejects(
    collect(callStream(client, PeersService.getVolume, new peer.GetVolumeRequest(), { signal })),
    cancelled,
  );
  await t.rejects(call(client, PeersService.ping, new peer.PingRequest(), { signal }), cancelled);
  await t.rejects(call(client, PeersService.ping, new peer.PingRequest(), { timeoutMs: 20 }), {
    code: status.DEADLINE_EXCEEDED,
  });
  while (ended < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(ended, 3);
});

async function collect<T>(replies: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const reply of replies) all.push(reply);
  return all;
}
