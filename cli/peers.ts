/** `forage peers`. */
import { AdminService, admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { ask } from './admin-client.ts';
import { bytes, milliseconds, percent, print, printJson, rate, table } from './output.ts';
import { settings } from './settings.ts';

type Member = ReturnType<typeof plain>;

export async function peers(options: { config: string; json?: boolean }): Promise<void> {
  const { run } = await settings(options.config);
  const members = await membersSeenBy(run);
  if (options.json) printJson(members);
  else print(forPeople(members));
}

/** This node first, then by name. */
export async function membersSeenBy(run: string): Promise<Member[]> {
  const reply = await ask(run, AdminService.peers, new admin.PeersRequest());
  const rank = ({ state }: Member) => (state === 'self' ? 0 : 1);
  return reply
    .getMembersList()
    .map(plain)
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** The form of `--json`; scripts rely on it. */
function plain(member: admin.Member) {
  return {
    name: member.getName(),
    address: member.getAddress(),
    state: member.getState(),
    draining: member.getDraining(),
    link: member.getLink(),
    rtt_ms: member.getRttMs() || null,
    bytes_per_second: Math.round(member.getBytesPerSecond()) || null,
    capacity_bytes: fromInt64(member.getCapacityBytes(), 'capacity of a member'),
    owned_share: member.getOwnedShare(),
  };
}

function forPeople(members: Member[]): string {
  const rows = members.map((member) => [
    member.name,
    member.address,
    member.draining ? `${member.state}, draining` : member.state,
    member.link,
    member.rtt_ms === null ? '-' : milliseconds(member.rtt_ms),
    member.bytes_per_second === null ? '-' : rate(member.bytes_per_second),
    bytes(member.capacity_bytes),
    percent(member.owned_share, 1),
  ]);
  const columns = ['NODE', 'ADDRESS', 'STATE', 'LINK', '>ROUND TRIP', '>RATE', '>CAPACITY', '>OWNS'];
  const shown = table(columns, rows);
  if (members.some(({ state }) => state !== 'self')) return shown;
  return `${shown}\n\nNo other node yet. \`forage cluster join --help\` says how a machine becomes a member.`;
}
