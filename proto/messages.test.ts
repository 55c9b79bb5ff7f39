import type { Message } from 'google-protobuf';
import t from 'tap';
import { AdminService } from './admin.ts';
import {
  ContentService,
  ImagesService,
  LeasesService,
  NamespacesService,
  VersionService,
} from './containerd.ts';
import { DirectoryService } from './directory.ts';
import { fromInt64, toInt64 } from './int64.ts';
import { PeersService, peer } from './peer.ts';
import { fieldMask, SnapshotsService, snapshots, timestamp } from './snapshots.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const FUZZ_ROUNDS = 5_000;

type AnyMethod = {
  path: string;
  requestSerialize(message: Message): Buffer;
  requestDeserialize(wire: Buffer): Message;
  responseSerialize(message: Message): Buffer;
  responseDeserialize(wire: Buffer): Message;
};

const methods = [
  AdminService,
  ContentService,
  DirectoryService,
  ImagesService,
  LeasesService,
  NamespacesService,
  PeersService,
  SnapshotsService,
  VersionService,
]
  .flatMap((service) => Object.values(service))
  .map((method) => method as unknown as AnyMethod);

/** mulberry32: small, seedable, good enough to pick bytes. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Accessors = Record<string, (...values: unknown[]) => unknown>;

/** Valid as text and as the base64 of bytes. */
const SCALAR_TEXT = 'AAf/';

/** Sets every scalar, list and map through the generated accessors, also in the messages of lists. */
function fill(message: Message): Message {
  const fields = message as unknown as Accessors;
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(message));
  for (const setter of names.filter((name) => name.startsWith('set'))) setField(fields, setter.slice(3));
  for (const getter of names.filter((name) => /^get.*Map$/.test(name))) {
    (fields[getter]!() as Map<string, string>).set('a/β', 'value');
  }
  return message;
}

function setField(fields: Accessors, name: string): void {
  const set = (value: unknown) => fields[`set${name}`]!(value);
  const before = fields[`get${name}`]!();
  if (Array.isArray(before)) {
    const added = fields[`add${name.slice(0, -'List'.length)}`]!();
    // Adding a message returns that message; adding a scalar returns the owner of the list.
    if (isMessage(added) && (added as unknown) !== fields) fill(added);
    else set([SCALAR_TEXT, SCALAR_TEXT]);
  } else if (typeof before === 'number') set(3);
  else if (typeof before === 'boolean') set(true);
  else if (before === '0') set('9007199254740993');
  else if (typeof before === 'string') set(SCALAR_TEXT);
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && 'serializeBinary' in value;
}

t.test('every message comes back from the wire as it was', async (t) => {
  for (const method of methods) {
    const request = fill(method.requestDeserialize(Buffer.alloc(0)));
    t.same(
      method.requestDeserialize(method.requestSerialize(request)).toObject(),
      request.toObject(),
      method.path,
    );
    const reply = fill(method.responseDeserialize(Buffer.alloc(0)));
    t.same(
      method.responseDeserialize(method.responseSerialize(reply)).toObject(),
      reply.toObject(),
      method.path,
    );
  }
});

t.test('an empty message has the defaults of proto3', async (t) => {
  t.same(peer.LayerRecord.deserializeBinary(new Uint8Array()).toObject(), {
    chainId: '',
    diffId: '',
    parent: '',
    root: '',
    format: '',
    origin: peer.LayerRecord.Origin.UNKNOWN,
  });
});

t.test('messages within messages come back too', async (t) => {
  const info = fill(new snapshots.Info()) as snapshots.Info;
  info.setCreatedAt(new timestamp.Timestamp().setSeconds(1).setNanos(2));
  const mask = new fieldMask.FieldMask().setPathsList(['labels.a']);
  const request = new snapshots.UpdateSnapshotRequest().setInfo(info).setUpdateMask(mask);
  const back = SnapshotsService.update.requestDeserialize(SnapshotsService.update.requestSerialize(request));
  t.same(back.toObject(), request.toObject());
  t.same(back.getInfo()?.getLabelsMap().get('a/β'), 'value');
});

t.test('a length beyond the message is refused at once, not believed', async (t) => {
  const text = Buffer.from('0affffffff0341', 'hex');
  t.throws(() => SnapshotsService.stat.requestDeserialize(text), /Invalid byte length/);
  const nested = Buffer.from('0ac5fcc98f37028e99f9', 'hex');
  t.throws(() => LeasesService.list.responseDeserialize(nested), /Invalid byte length/);
  const inner = Buffer.from('0a020a7f0a0141', 'hex');
  t.throws(
    () => DirectoryService.records.responseDeserialize(inner),
    /Invalid byte length/,
    'also of what is around it',
  );
});

t.test('text that is not UTF-8 is refused', async (t) => {
  t.throws(() => SnapshotsService.stat.requestDeserialize(Buffer.from([0x0a, 1, 0xff])), TypeError);
});

t.test('pieces of a volume share the memory of the message they arrived in', async (t) => {
  const reply = new peer.GetVolumeReply().setIndex(new Uint8Array(4096).fill(7));
  const wire = PeersService.getVolume.responseSerialize(reply);
  const piece = PeersService.getVolume.responseDeserialize(wire).getIndex_asU8();
  t.equal(piece.buffer, wire.buffer, 'no copy');
  t.equal(piece.length, 4096);
});

t.test('random and damaged bytes give an error or a message', async (t) => {
  t.comment(`seed ${SEED}`);
  const next = random(SEED);
  for (const method of methods) {
    const whole = method.requestSerialize(fill(method.requestDeserialize(Buffer.alloc(0))));
    for (let round = 0; round < FUZZ_ROUNDS; round++) {
      const bytes = round % 2 === 0 ? noise(next) : damaged(whole, next);
      try {
        method.requestDeserialize(bytes).toObject();
      } catch (error) {
        if (!(error instanceof Error)) t.fail(`${method.path} threw something else`, { error, bytes });
      }
    }
    t.pass(method.path);
  }
});

function noise(next: () => number): Buffer {
  return Buffer.from(Array.from({ length: Math.floor(next() * 64) }, () => Math.floor(next() * 256)));
}

function damaged(whole: Buffer, next: () => number): Buffer {
  const bytes = Buffer.from(whole.subarray(0, Math.ceil(next() * whole.length)));
  for (let flips = 0; flips < 3 && bytes.length > 0; flips++) {
    bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
  }
  return bytes;
}

t.test('64-bit numbers are checked both ways', async (t) => {
  t.equal(toInt64(2 ** 53 - 1), '9007199254740991');
  t.throws(() => toInt64(2 ** 53), RangeError);
  t.throws(() => toInt64(0.5), RangeError);
  t.equal(fromInt64('4096', 'size'), 4096);
  t.throws(() => fromInt64('9007199254740993', 'size'), /size is out of range/);
  t.throws(() => fromInt64('-1', 'size'), RangeError);
});
