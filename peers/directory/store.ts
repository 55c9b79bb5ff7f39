/**
 * Records in LMDB: nothing is held in memory but what the kernel caches. A transaction is durable before it resolves, and
 * reads between transactions see what is committed. Certificates, which are most of a record, are kept once each, and
 * stay: there are no more of them than the authority has issued.
 */
import { hash } from 'node:crypto';
import type { Database, RootDatabase } from 'lmdb';
import { SIGNATURE_BYTES } from './limits.ts';
import type { IndexEntry, IndexKey, RecordId, RecordStore, RecordWriter, StoredRecord } from './types.ts';

const ID_BYTES = 32;
const INDEX_KEY_BYTES = 33;
const TIME_BYTES = 8;
const OPTIONS = { keyEncoding: 'binary', encoding: 'binary' } as const;

/** A record's value: signer, hash of the certificate, time, signature, body. */
const CERTIFICATE_AT = ID_BYTES;
const TIME_AT = CERTIFICATE_AT + ID_BYTES;
const SIGNATURE_AT = TIME_AT + TIME_BYTES;
const BODY_AT = SIGNATURE_AT + SIGNATURE_BYTES;

type Bytes = Database<Buffer, Buffer>;

/** Takes three databases of the environment. */
export function openRecordStore(root: RootDatabase): RecordStore {
  const records: Bytes = root.openDB({ name: 'directory-records', ...OPTIONS });
  const index: Bytes = root.openDB({ name: 'directory-index', ...OPTIONS });
  const certificates: Bytes = root.openDB({ name: 'directory-certificates', ...OPTIONS });
  const writer = writerOf(records, index, certificates);
  return {
    isEmpty: () => [...records.getKeys({ limit: 1 })].length === 0,
    has: (id) => records.doesExist(idKey(id)),
    get(id) {
      const value = records.get(idKey(id));
      return value && unpacked(value, certificates);
    },
    under: (key) => entriesUnder(index, key),
    tally: (tag) => tallyOf(index, tag),
    *ids(bucket, after) {
      const start =
        after === undefined ? Buffer.from([bucket]) : Buffer.concat([idKey(after), Buffer.alloc(1)]);
      for (const key of records.getKeys({ start, end: above(Buffer.from([bucket]), ID_BYTES) }))
        yield key.toString('hex');
    },
    async transact<R>(change: (writer: RecordWriter) => R): Promise<R> {
      const result = await root.transaction(() => change(writer));
      await root.flushed;
      return result;
    },
  };
}

function writerOf(records: Bytes, index: Bytes, certificates: Bytes): RecordWriter {
  return {
    put(id, record, keys) {
      const certificate = hash('sha256', record.certificate, 'buffer');
      if (!certificates.doesExist(certificate))
        certificates.put(certificate, Buffer.from(record.certificate));
      records.put(idKey(id), packed(record, certificate));
      const time = timeBytes(record.createdMs);
      for (const key of keys) index.put(Buffer.concat([key, idKey(id)]), time);
    },
    remove(id, keys) {
      records.remove(idKey(id));
      for (const key of keys) index.remove(Buffer.concat([key, idKey(id)]));
    },
  };
}

function entriesUnder(index: Bytes, key: IndexKey): IndexEntry[] {
  const range = index.getRange({ start: key, end: above(key, INDEX_KEY_BYTES + ID_BYTES) });
  return Array.from(range, (entry) => ({
    id: entry.key.toString('hex', INDEX_KEY_BYTES),
    createdMs: entry.value.readDoubleBE(),
  }));
}

function tallyOf(index: Bytes, tag: number): Map<string, number> {
  const counts = new Map<string, number>();
  const start = Buffer.from([tag]);
  for (const key of index.getKeys({ start, end: above(start, INDEX_KEY_BYTES + ID_BYTES) })) {
    const name = key.toString('hex', 0, INDEX_KEY_BYTES);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Above all keys of this length that begin so. */
function above(prefix: Buffer, lengthBytes: number): Buffer {
  return Buffer.concat([prefix, Buffer.alloc(lengthBytes + 1 - prefix.length, 0xff)]);
}

function idKey(id: RecordId): Buffer {
  return Buffer.from(id, 'hex');
}

function timeBytes(ms: number): Buffer {
  const bytes = Buffer.alloc(TIME_BYTES);
  bytes.writeDoubleBE(ms);
  return bytes;
}

function packed(record: StoredRecord, certificate: Buffer): Buffer {
  const { signer, createdMs, signature, body } = record;
  return Buffer.concat([Buffer.from(signer, 'hex'), certificate, timeBytes(createdMs), signature, body]);
}

function unpacked(value: Buffer, certificates: Bytes): StoredRecord {
  return {
    signer: value.toString('hex', 0, CERTIFICATE_AT),
    // Put in the same transaction, and never removed.
    certificate: certificates.get(value.subarray(CERTIFICATE_AT, TIME_AT))!,
    createdMs: value.readDoubleBE(TIME_AT),
    signature: value.subarray(SIGNATURE_AT, BODY_AT),
    body: value.subarray(BODY_AT),
  };
}
