/** `forage status`. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { ask } from './admin-client.ts';
import { bytes, count, milliseconds, print, printJson, rate, table } from './output.ts';
import { settings } from './settings.ts';

type Status = ReturnType<typeof plain>;

export async function status(options: { config: string; json?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  const shown = plain(await ask(run, AdminService.status, new admin.StatusRequest()));
  if (options.json) printJson(shown);
  else print(forPeople(shown));
}

/** The form of `--json`; scripts rely on it. */
function plain(reply: admin.StatusReply) {
  const blocks = reply.getBlocks();
  return {
    node: reply.getNode(),
    version: reply.getVersion(),
    peers: reply.getPeersList().map((peer) => ({
      name: peer.getName() || null,
      address: peer.getAddress(),
      state: peer.getState(),
      rtt_ms: peer.getRttMs() || null,
      bytes_per_second: Math.round(peer.getBytesPerSecond()) || null,
    })),
    volumes: reply.getVolumes(),
    blocks: {
      count: fromInt64(blocks?.getCount() ?? '0', 'blocks'),
      bytes: fromInt64(blocks?.getBytes() ?? '0', 'bytes of blocks'),
    },
    fetched_bytes: fromInt64(reply.getFetchedBytes(), 'fetched bytes'),
    served_bytes: fromInt64(reply.getServedBytes(), 'served bytes'),
    demand_reads: fromInt64(reply.getDemandReads(), 'demand reads'),
    waiting_reads: reply.getWaitingReads(),
    ingest: reply.getIngest()?.toObject() ?? { queued: 0, running: 0, done: 0, failed: 0 },
  };
}

function forPeople(status: Status): string {
  const { ingest } = status;
  const lines = [
    ['node', `${status.node} (forage ${status.version})`],
    [
      'store',
      `${count(status.volumes, 'volume')}, ${count(status.blocks.count, 'block')}, ${bytes(status.blocks.bytes)}`,
    ],
    ['fetched', `${bytes(status.fetched_bytes)} from neighbours`],
    ['served', `${bytes(status.served_bytes)} to neighbours`],
    ['reads', `${status.demand_reads} found their block missing, ${status.waiting_reads} of them wait now`],
    [
      'ingest',
      `${ingest.running} running, ${ingest.queued} queued, ${ingest.done} done, ${ingest.failed} failed`,
    ],
  ];
  const peers = status.peers.map((peer) => [
    peer.name ?? '-',
    peer.address,
    peer.state,
    peer.rtt_ms === null ? '-' : milliseconds(peer.rtt_ms),
    peer.bytes_per_second === null ? '-' : rate(peer.bytes_per_second),
  ]);
  const head = lines.map(([name, text]) => `${name!.padEnd(9)}${text}`).join('\n');
  if (peers.length === 0) return `${head}\npeers    none that this node knows of`;
  return `${head}\n\n${table(['PEER', 'ADDRESS', 'STATE', '>ROUND TRIP', '>RATE'], peers)}`;
}
