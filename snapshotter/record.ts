/** What is kept of a snapshot, and the names that containerd gives to snapshots. */
import { isDigest } from '../blocks/digest.ts';
import type { ChainId, Root } from '../blocks/types.ts';
import type { SnapshotInfo, Usage } from './types.ts';

/** Where the files of a committed snapshot are. It only ever moves down this list. */
export type LayerState =
  /** In its directory, as containerd unpacked it. */
  | { at: 'directory' }
  /**
   * Its link shows the volume. Snapshots with an id below `before` may have the directory mounted since earlier, in the
   * boot `bootId`: it stays for them.
   */
  | { at: 'swapped'; root: Root; before: number; bootId: string }
  /** In the volume only. */
  | { at: 'volume'; root: Root };

interface RecordBase extends SnapshotInfo {
  /** Grows with each snapshot and is above its parent's: names the directory and the link. */
  readonly id: number;
}

/** A view or an active snapshot: containerd may have it mounted. */
export interface OpenRecord extends RecordBase {
  kind: 'view' | 'active';
}

export interface CommittedRecord extends RecordBase {
  kind: 'committed';
  /** '' where the name gives none: then it is never ingested. */
  chainId: ChainId | '';
  /** Of the directory at the time of the commit; zero for a layer that was never unpacked here. */
  usage: Usage;
  layer: LayerState;
}

/** Keyed by id, so a commit is one change of one value. */
export type SnapshotRecord = OpenRecord | CommittedRecord;

export type CommittedAt<At extends LayerState['at']> = CommittedRecord & { layer: { at: At } };

export function isAt<At extends LayerState['at']>(
  record: SnapshotRecord | undefined,
  at: At,
): record is CommittedAt<At> {
  return record?.kind === 'committed' && record.layer.at === at;
}

/** containerd's label for "this is to become the layer of that chainID": what makes a pull ask before it downloads. */
export const REF_LABEL = 'containerd.io/snapshot.ref';

const BACKEND_NAME = /^(?<namespace>[^/]+)\/(?<sequence>[^/]+)\/(?<chainId>sha256:[0-9a-f]{64})$/;

/** Exactly that: names of user-namespace remaps end in `<chainID>-<uid>-<gid>`, and are other content. */
export function isChainId(text: string | undefined): text is ChainId {
  return isDigest(text);
}

/** The parts of a committed layer's backend name, `<namespace>/<sequence>/<chainID>`; undefined for any other name. */
export function layerNameOf(name: string): { namespace: string; chainId: ChainId } | undefined {
  const parts = BACKEND_NAME.exec(name)?.groups;
  return parts && { namespace: parts.namespace!, chainId: parts.chainId! };
}

/** A committed name for a layer that is offered instead of the active snapshot `key`. `tag` makes it unlike any of containerd's. */
export function offeredName(key: string, tag: number, chainId: ChainId): string {
  const [namespace = '', sequence = ''] = key.split('/');
  return `${namespace}/${sequence}-${tag}/${chainId}`;
}
