/** This node's side of an exchange that another one makes: what it is asked is checked, and answered within bounds. */
import { isSha256 } from '../../blocks/block.ts';
import { WireError } from '../exchange/wire.ts';
import { bucketOf } from './digests.ts';
import type { Directory } from './directory.ts';
import {
  BUCKETS,
  CHAIN_IDS_PER_REQUEST,
  IDS_PER_PAGE,
  LAYERS_PER_REPLY,
  RECORDS_PER_REQUEST,
  RECORDS_REPLY_BYTES,
} from './limits.ts';
import type { DirectoryPeer, IdsPage, RecordId, SignedRecord } from './types.ts';

type Listed = Pick<Directory, 'digests' | 'ids' | 'record'>;
type Answered = Listed & Pick<Directory, 'layersByChainId'>;

/** Throws WireError for a question that breaks the protocol. */
export function answering(directory: Answered): DirectoryPeer {
  return {
    digest: async () => directory.digests(),
    ids: async (buckets, after) => idsPage(directory, buckets, after),
    records: async (ids) => {
      if (ids.length === 0 || ids.length > RECORDS_PER_REQUEST || !ids.every(isSha256))
        throw new WireError(`a request for ${ids.length} records`);
      return recordsFor(directory, ids);
    },
    layers: async (chainIds) => {
      if (chainIds.length > CHAIN_IDS_PER_REQUEST) throw new WireError(`${chainIds.length} chainIDs`);
      const held = chainIds.flatMap((chainId) => directory.layersByChainId(chainId));
      return recordsFor(
        directory,
        held.slice(0, LAYERS_PER_REPLY).map(({ id }) => id),
      );
    },
  };
}

function idsPage(directory: Listed, buckets: readonly number[], after: RecordId | undefined): IdsPage {
  checkBuckets(buckets);
  if (after !== undefined && !isSha256(after)) throw new WireError('no proper id to go on from');
  const first = after === undefined ? 0 : bucketOf(after);
  const ids: RecordId[] = [];
  for (const bucket of buckets.filter((bucket) => bucket >= first)) {
    for (const id of directory.ids(bucket, bucket === first ? after : undefined)) {
      if (ids.length === IDS_PER_PAGE) return { ids, more: true };
      ids.push(id);
    }
  }
  return { ids, more: false };
}

/** Up to the first that is not here: it may have been dropped since it was listed. */
function recordsFor(directory: Listed, ids: readonly RecordId[]): SignedRecord[] {
  const records: SignedRecord[] = [];
  let bytes = 0;
  for (const id of ids) {
    const record = directory.record(id);
    if (!record || bytes >= RECORDS_REPLY_BYTES) break;
    records.push(record);
    bytes += record.body.length + record.certificate.length + record.signature.length;
  }
  return records;
}

function checkBuckets(buckets: readonly number[]): void {
  const fits = (bucket: number, i: number) =>
    Number.isInteger(bucket) && bucket > (buckets[i - 1] ?? -1) && bucket < BUCKETS;
  if (buckets.length === 0 || !buckets.every(fits)) throw new WireError('no proper list of buckets');
}
