/** The encodings: what is signed, what is refused, and garbage from a seed (FUZZ_CASES sets how much, FORAGE_SEED repeats a run). */
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import t, { type Test } from 'tap';
import { seededPick } from '../../blocks/testing.ts';
import { Bed } from '../bed.twin.ts';
import { realClock } from '../clock.ts';
import { WireError } from '../exchange/wire.ts';
import type { Identity } from '../identity/identity.ts';
import type { IsRevoked } from '../identity/keys.ts';
import { type Age, type Announcement, isSigned, open, seal } from './announcement.ts';
import { Certificates, ownKey, RefusedError } from './certificates.ts';
import { decodeDigest, encodeDigest, MAX_DIGEST_BYTES } from './digest.ts';
import { MAX_ANNOUNCEMENT_BYTES, MAX_MEMBERS } from './limits.ts';

const CASES = Number(process.env.FUZZ_CASES ?? 10_000);

const SAID: Announcement = {
  incarnation: 1_700_000_000_000,
  sequence: 7,
  everyMs: 5000,
  capacityBytes: 2 ** 40,
  leaving: false,
  service: '10.0.0.1:7400',
  address: '[fd00::1]:7401',
};

function sealedBy(identity: Identity, more: Partial<Announcement> = {}): Buffer {
  const { certificate, signing } = ownKey(identity);
  return seal({ ...SAID, ...more }, certificate, signing);
}

async function judge(bed: Bed, isRevoked: IsRevoked = () => false): Promise<Certificates> {
  return new Certificates({ identity: await bed.identity('judge'), isRevoked, clock: realClock });
}

t.test('what a node says of itself is read as it was said, with the name in its certificate', async (t) => {
  const bed = await Bed.make(t);
  const [n1, certificates] = [await bed.identity('n1'), await judge(bed)];
  for (const more of [
    {},
    { leaving: true },
    { service: 'n1.ship:1', address: 'a:65535' },
    { capacityBytes: 0 },
  ]) {
    const bytes = sealedBy(n1, more);
    const sealed = open(bytes, certificates);
    t.strictSame(sealed.announcement, { ...SAID, ...more });
    t.equal(sealed.node.name, 'n1');
    t.equal(sealed.node.peerId.type, 'Ed25519');
    t.ok(isSigned(sealed));
    t.ok(seal(sealed.announcement, ownKey(n1).certificate, ownKey(n1).signing).equals(bytes), 'one encoding');
  }
});

t.test('nobody can speak for another node, nor change a word of it', async (t) => {
  const bed = await Bed.make(t);
  const [n1, n2, certificates] = [await bed.identity('n1'), await bed.identity('n2'), await judge(bed)];
  const forged = seal(SAID, ownKey(n1).certificate, ownKey(n2).signing);
  t.notOk(isSigned(open(forged, certificates)));
  const changed = sealedBy(n1);
  changed[29]! ^= 1;
  t.not(open(changed, certificates).announcement.capacityBytes, SAID.capacityBytes);
  t.notOk(isSigned(open(changed, certificates)));
});

t.test('a certificate that is no node of this cluster speaks for nobody', async (t) => {
  const [bed, other] = [await Bed.make(t), await Bed.make(t)];
  const certificates = await judge(bed, ({ name }) => name === 'revoked');
  const day = 24 * 60 * 60 * 1000;
  const { ca } = await bed.identity('n1');
  const wrong: [Identity, RegExp][] = [
    [{ ...(await other.identity('n1')), ca }, /not of this cluster/],
    [await bed.crafted({ notAfter: new Date(Date.now() - day) }), /crafted has expired/],
    [await bed.crafted({ notBefore: new Date(Date.now() + day / 2) }), /crafted is not valid yet/],
    [await bed.crafted({ role: 'forage-user' }), /for no node/],
    [await bed.identity('revoked'), /revoked is revoked/],
  ];
  for (const [identity, message] of wrong) {
    t.throws(() => open(sealedBy(identity), certificates), { name: 'RefusedError', message });
  }
  const { signing } = ownKey(await bed.identity('n2'));
  const authority = new X509Certificate(ca).raw;
  t.throws(() => open(seal(SAID, authority, signing), certificates), RefusedError, 'the authority itself');
});

t.test('who is revoked later is no longer believed, though its certificate was good before', async (t) => {
  const bed = await Bed.make(t);
  const revoked = new Set<string>();
  const certificates = await judge(bed, ({ key }) => revoked.has(key));
  const bytes = sealedBy(await bed.identity('n1'));
  const { node } = open(bytes, certificates);
  t.equal(certificates.nodeOf(node.peerId.toString()), node);
  revoked.add(node.key);
  t.throws(() => open(bytes, certificates), RefusedError);
  t.equal(certificates.nodeOf(node.peerId.toString()), undefined);
});

t.test('each field is bounded', async (t) => {
  const bed = await Bed.make(t);
  const [n1, certificates] = [await bed.identity('n1'), await judge(bed)];
  const long = `${'a'.repeat(250)}:7400`;
  t.equal(open(sealedBy(n1, { service: long }), certificates).announcement.service, long);
  const wrong: Partial<Announcement>[] = [
    { everyMs: 0 },
    { everyMs: 2 ** 31 },
    { service: '' },
    { service: 'n1' },
    { address: 'n1:0' },
    { address: 'n1:99999' },
    { address: 'n 1:7401' },
    { address: 'n\x001:7401' },
    { address: 'ä:7401' },
  ];
  for (const more of wrong) {
    t.throws(() => open(sealedBy(n1, more), certificates), WireError, JSON.stringify(more));
  }
  const huge = sealedBy(n1);
  huge.writeBigUInt64BE(2n ** 53n, 2);
  t.throws(() => open(huge, certificates), WireError);
  const longer = Buffer.concat([sealedBy(n1), Buffer.alloc(1)]);
  t.throws(() => open(longer, certificates), WireError);
  t.throws(() => open(Buffer.alloc(MAX_ANNOUNCEMENT_BYTES + 1), certificates), WireError);
  const { privateKey } = generateKeyPairSync('ed25519');
  t.throws(() => open(seal(SAID, Buffer.alloc(5000), privateKey), certificates), WireError);
  t.throws(() => open(seal(SAID, Buffer.alloc(500), privateKey), certificates), RefusedError);
});

t.test('a digest is read as it was written, at any length that can be', async (t) => {
  const digest = new Map<string, Age>();
  for (let i = 0; i <= MAX_MEMBERS; i++) {
    digest.set(`n${i}${'x'.repeat(63 - `n${i}`.length)}`, {
      incarnation: i,
      sequence: Number.MAX_SAFE_INTEGER,
    });
    if (i > 3 && i < MAX_MEMBERS) continue;
    const bytes = encodeDigest(digest);
    t.ok(bytes.length <= MAX_DIGEST_BYTES);
    t.strictSame(new Map([...decodeDigest(bytes)].sort()), new Map([...digest].sort()));
  }
  digest.set('one-too-many', { incarnation: 1, sequence: 1 });
  t.throws(() => decodeDigest(encodeDigest(digest)), WireError);
});

/** Good bytes made bad in one or two ways; sometimes left good. */
function spoiled(pick: (limit: number) => number, good: Buffer): Buffer {
  let bytes = Buffer.from(good);
  for (let times = pick(3); times > 0; times--) {
    const at = pick(bytes.length + 1);
    const noise = Buffer.from(Array.from({ length: pick(40) }, () => pick(256)));
    const change = pick(5);
    if (change === 0) bytes = bytes.subarray(0, at);
    else if (change === 1) bytes = Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    else if (change === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + noise.length)]);
    else if (change === 3 && at < bytes.length) bytes[at]! ^= 1 << pick(8);
    else if (change === 4) bytes = noise;
  }
  return bytes;
}

function fuzz(t: Test, good: Buffer[], read: (bytes: Buffer) => Buffer | undefined): void {
  const pick = seededPick(t);
  const ends = { same: 0, refused: 0 };
  for (let i = 0; i < CASES; i++) {
    const bytes = spoiled(pick, good[pick(good.length)]!);
    try {
      const again = read(bytes);
      if (again && !again.equals(bytes)) t.fail(`another encoding of the same: ${bytes.toString('hex')}`);
      ends.same++;
    } catch (error) {
      if (!(error instanceof WireError || error instanceof RefusedError)) throw error;
      ends.refused++;
    }
  }
  t.comment(JSON.stringify(ends));
  t.ok(ends.same > 0 && ends.refused > 0);
}

t.test(
  'garbage for an announcement is one error, and what is read is signed and has one encoding',
  async (t) => {
    const bed = await Bed.make(t);
    const [n1, certificates] = [await bed.identity('n1'), await judge(bed)];
    const good = [sealedBy(n1), sealedBy(n1, { leaving: true }), sealedBy(await bed.identity('n2'))];
    fuzz(t, good, (bytes) => {
      const sealed = open(bytes, certificates);
      if (!isSigned(sealed)) throw new RefusedError('not signed');
      return (
        good.find((one) => one.equals(bytes)) ?? Buffer.from('a signature of something that nobody signed')
      );
    });
  },
);

t.test('garbage for a digest is one error, and what is read has one encoding', async (t) => {
  const ages = ['a', 'n1', 'rack-2.ship', 'z'.repeat(63)].map(
    (name, i) => [name, { incarnation: i * 1e12, sequence: i }] as const,
  );
  const good = [new Map(ages), new Map(ages.slice(1, 2)), new Map<string, Age>()].map(encodeDigest);
  fuzz(t, good, (bytes) => encodeDigest(decodeDigest(bytes)));
});
