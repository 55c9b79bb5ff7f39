/** What the cluster relies on here, as the collector asks for it. Before this node is a member, it is what it once was one of. */

import type { RecordStore } from '../peers/directory/types.ts';
import type { Keeping } from './collector.ts';
import type { ClusterMember } from './member.ts';

export function createKeeping(
  member: () => ClusterMember | undefined,
  directory: Pick<RecordStore, 'isEmpty'>,
): Keeping {
  /** A node that has never been in a cluster has no records. */
  const wasMember = () => !directory.isEmpty();

  return {
    volume(root) {
      const joined = member();
      if (joined === undefined) return wasMember() ? 'kept' : 'unknown';
      const { catalogue } = joined.custody;
      if (catalogue.isLiving(root)) return 'kept';
      return catalogue.isRemoved(root) ? 'removed' : 'unknown';
    },
    isWhole: () => member()?.custody.catalogue.isWhole() ?? !wasMember(),
    keepsBlock(id) {
      const joined = member();
      if (joined === undefined) return wasMember();
      return joined.custody.custodian.isPinned(id) || joined.refObjects.has(id);
    },
  };
}
