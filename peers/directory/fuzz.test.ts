/**
 * Malformed records and bodies from a seed: each is refused with a reason, or says something that can be said again. FUZZ_CASES sets
 * how many (CI: more), SEED repeats a run.
 */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { generator } from '../../blocks/testing.ts';
import { WireError } from '../exchange/wire.ts';
import { checkpoint, DirectoryBed, digest, layer, ref, sha } from './bed.twin.ts';
import { decodeBody, encodeBody } from './body.ts';
import { RecordError } from './refusal.ts';
import { decodeRecord, encodeRecord } from './service.ts';
import { signedBytes } from './sign.ts';
import type { Contents, Kind, SignedRecord, Statement } from './types.ts';

const CASES = Number(process.env.FUZZ_CASES ?? 10_000);
const SEED = Number(process.env.SEED ?? randomInt(2 ** 31));

type Random = ReturnType<typeof generator>;

const CONTENTS: Contents = {
  layer: layer('b', { parent: layer('a').chainId }),
  checkpoint: { ...checkpoint('c1'), repeats: sha('said before') },
  ref: ref('app:1', [layer('a').chainId], {
    index: { digest: digest('i'), sizeBytes: 9, mediaType: 'x', blocks: [sha('i')] },
  }),
  removal: { image: 'app:1', chainIds: [layer('a').chainId], recordIds: [sha('r')] },
  revocation: { key: sha('key'), node: 'n2' },
};
const KINDS = Object.keys(CONTENTS) as Kind[];

function bodyOf(kind: Kind): Uint8Array {
  return encodeBody({ kind, node: 'n1', createdMs: Date.now(), content: CONTENTS[kind] } as Statement);
}

/** Cut, filled, flipped or replaced, once or a few times. */
function spoiled(random: Random, good: Uint8Array): Buffer {
  let bytes = Buffer.from(good);
  for (let times = 1 + random.below(3); times > 0; times--) {
    const at = random.below(bytes.length + 1);
    const change = random.below(8);
    if (change === 0) bytes = bytes.subarray(0, at);
    else if (change === 1)
      bytes = Buffer.concat([bytes.subarray(0, at), random.bytes(random.below(40)), bytes.subarray(at)]);
    else if (change === 2) bytes = random.bytes(random.below(200));
    else if (at < bytes.length) bytes[at] = random.pick([bytes[at]! ^ (1 << random.below(8)), 0, 0x7f, 0xff]);
  }
  return bytes;
}

t.test('a body that was spoiled is refused, or says something that can be said again', async (t) => {
  t.comment(`SEED=${SEED} FUZZ_CASES=${CASES}`);
  const random = generator(SEED);
  const ends = { refused: 0, decoded: 0 };
  for (let i = 0; i < CASES; i++) {
    const bytes = spoiled(random, bodyOf(random.pick(KINDS)));
    let statement: Statement;
    try {
      statement = decodeBody(bytes);
    } catch (error) {
      if (!(error instanceof RecordError))
        return t.fail('another error', { error, hex: bytes.toString('hex') });
      ends.refused++;
      continue;
    }
    ends.decoded++;
    const again = decodeBody(encodeBody(statement));
    if (JSON.stringify(again) !== JSON.stringify(statement))
      return t.same(again, statement, bytes.toString('hex'));
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.refused > 0 && ends.decoded > 0);
});

t.test('a record that was spoiled is refused, also where its body was signed so', async (t) => {
  t.comment(`SEED=${SEED}`);
  const random = generator(SEED + 1);
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const n2 = await bed.node('n2');
  const record = await bed.record(n2, 'layer', CONTENTS.layer);
  const wire = encodeRecord(record);
  const reasons = new Map<string, number>();
  const note = (reason: string) => reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  for (let i = 0; i < CASES; i++) {
    try {
      const candidate: SignedRecord =
        i % 3 > 0
          ? decodeRecord(spoiled(random, wire))
          : { ...record, body: spoiled(random, bodyOf(random.pick(KINDS))) };
      if (i % 3 === 0) candidate.signature = await n2.sign(signedBytes(candidate.body));
      note(await directory.put(candidate));
    } catch (error) {
      if (error instanceof RecordError) note(error.reason);
      else if (error instanceof WireError) note('wire');
      else return t.fail('another error', { error });
    }
  }
  t.comment(JSON.stringify([...reasons]));
  t.ok(reasons.size > 4);
  for (const { node, signer } of directory.counting())
    t.same({ node, signer }, { node: 'n2', signer: n2.key });
});
