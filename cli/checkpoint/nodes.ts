/** The nodes of the cluster that a container may be restored on. */
import { AdminService, admin } from '../../proto/admin.ts';
import { ask } from '../admin-client.ts';

/** Names of those that answer, this node first. Throws Failure. */
export async function livingNodes(run: string): Promise<string[]> {
  const members = (await ask(run, AdminService.peers, new admin.PeersRequest())).getMembersList();
  const isSelf = (member: admin.Member) => member.getState() === 'self';
  const there = members.filter((member) => isSelf(member) || member.getLink() === 'up');
  return there.sort((a, b) => Number(isSelf(b)) - Number(isSelf(a))).map((member) => member.getName());
}
