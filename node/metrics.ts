/** Prometheus metrics over HTTP. Numbers come from the node's status when they are asked for; only ingest is timed here. */
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { createServer, listenHttp } from './listen-http.ts';
import type { NodeStatus, NodeView } from './view.ts';

/** How often the event loop's delay is sampled. prom-client's own 10 ms would wake an idle machine a hundred times a second. */
const EVENT_LOOP_SAMPLE_MS = 200;
const INGEST_BUCKETS_SECONDS = [0.1, 0.3, 1, 3, 10, 30, 100, 300];

export interface Metrics {
  /** One layer has become a volume. */
  ingested(seconds: number): void;
  /** Where it listens; undefined when it cannot. */
  address(): AddressInfo | undefined;
  stop(): Promise<void>;
}

/** A port that is taken is logged, not thrown: a node without metrics is still a node. */
export async function startMetrics(
  listen: string,
  view: Pick<NodeView, 'status'>,
  logger: Logger,
): Promise<Metrics> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
  const update = registerStatus(registry);
  const ingestSeconds = new Histogram({
    name: 'forage_ingest_seconds',
    help: 'Time from a layer to its volume.',
    buckets: INGEST_BUCKETS_SECONDS,
    registers: [registry],
  });
  async function answer(response: ServerResponse): Promise<void> {
    try {
      update(view.status());
      const text = await registry.metrics();
      response.writeHead(200, { 'content-type': registry.contentType }).end(text);
    } catch (error) {
      logger.error({ err: error }, 'metrics could not be collected');
      response.writeHead(500).end();
    }
  }
  const server = createServer((request, response) => {
    if (request.method !== 'GET' || request.url !== '/metrics') response.writeHead(404).end();
    else void answer(response);
  });
  await listenHttp(server, listen, 'metrics', logger);
  return {
    ingested: (seconds) => ingestSeconds.observe(seconds),
    address: () => (server.address() as AddressInfo | null) ?? undefined,
    async stop() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type Read = (status: NodeStatus) => number;

const counters: [name: string, help: string, read: Read][] = [
  ['forage_fetched_bytes_total', 'Block bytes had from neighbours.', (s) => s.fetchedBytes],
  ['forage_served_bytes_total', 'Block bytes given to neighbours.', (s) => s.servedBytes],
  ['forage_demand_reads_total', 'Reads that found their block missing.', (s) => s.demandReads],
  [
    'forage_repair_bytes_total',
    'Bytes of blocks fetched because this node is to keep them.',
    (s) => s.custody.fetchedBytes,
  ],
  ['forage_dropped_blocks_total', 'Blocks dropped here because others keep them.', (s) => s.custody.dropped],
  ['forage_ingest_failures_total', 'Layers that could not be made into volumes.', (s) => s.ingest.failed],
];

const gauges: [name: string, help: string, read: Read][] = [
  ['forage_waiting_reads', 'Reads that wait for a block now.', (s) => s.waitingReads],
  ['forage_blocks', 'Blocks on disk.', (s) => s.blocks.count],
  ['forage_block_bytes', 'Bytes of the blocks on disk.', (s) => s.blocks.bytes],
  ['forage_volumes', 'Volumes whose index is here.', (s) => s.volumes],
  ['forage_ingest_queue', 'Layers that wait to become volumes.', (s) => s.ingest.queued],
  ['forage_pinned_blocks', 'Blocks that this node has promised to keep.', (s) => s.custody.pinned],
  ['forage_peers', 'Neighbours that this node knows and may reach.', (s) => s.peers.length],
  ['forage_peers_up', 'Neighbours that answer.', (s) => s.peers.filter(({ state }) => state === 'up').length],
];

/** Answers a function that brings all of them up to date from one status. */
function registerStatus(registry: Registry): (status: NodeStatus) => void {
  const registers = [registry];
  const updates = [
    ...counters.map(([name, help, read]) => {
      const counter = new Counter({ name, help, registers });
      return (status: NodeStatus) => {
        counter.reset();
        counter.inc(read(status));
      };
    }),
    ...gauges.map(([name, help, read]) => {
      const gauge = new Gauge({ name, help, registers });
      return (status: NodeStatus) => gauge.set(read(status));
    }),
  ];
  return (status) => {
    for (const update of updates) update(status);
  };
}
