import { pino } from 'pino';
import t from 'tap';
import { startMetrics } from './metrics.ts';
import { someStatus, viewTwin } from './view.twin.ts';

const logger = pino({ level: 'silent' });

async function freePort(): Promise<number> {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

t.test("a scrape shows the node's state as it is now", async (t) => {
  const status = { ...someStatus };
  const port = await freePort();
  const metrics = await startMetrics(`127.0.0.1:${port}`, viewTwin(status), logger);
  t.teardown(() => metrics.stop());
  metrics.ingested(2);

  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const first = await scrape();
  t.match(first, /^forage_fetched_bytes_total 42000000$/m);
  t.match(first, /^forage_demand_reads_total 99$/m);
  t.match(first, /^forage_waiting_reads 3$/m);
  t.match(first, /^forage_peers_up 1$/m);
  t.match(first, /^forage_peers 2$/m);
  t.match(first, /^forage_ingest_seconds_bucket\{le="3"\} 1$/m);
  t.match(first, /^process_resident_memory_bytes \d+$/m);

  status.fetchedBytes = 43_000_000;
  t.match(await scrape(), /^forage_fetched_bytes_total 43000000$/m);
  t.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 404);
});

t.test('a port that is taken does not stop the node', async (t) => {
  const port = await freePort();
  const first = await startMetrics(`127.0.0.1:${port}`, viewTwin(), logger);
  const second = await startMetrics(`127.0.0.1:${port}`, viewTwin(), logger);
  t.equal(first.address()?.port, port);
  t.equal(second.address(), undefined);
  await second.stop();
  await first.stop();
});
