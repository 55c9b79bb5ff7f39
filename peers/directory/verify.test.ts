/** Which records are taken from others, and for which reason one is not. */
import t, { type Test } from 'tap';
import { directory as pb } from '../../proto/directory.ts';
import { peer } from '../../proto/peer.ts';
import { AUTHORITY_ROLE } from '../identity/names.ts';
import { checkpoint, DAY_MS, DirectoryBed, digest, layer, ref, sha } from './bed.twin.ts';
import { encodeBody } from './body.ts';
import { MAX_BODY_BYTES, MAX_REMOVAL_NAMES } from './limits.ts';
import type { Reason } from './refusal.ts';
import { authoritySigner, recordIdOf, revocationOf, signedBytes } from './sign.ts';
import type { Contents, Kind, SignedRecord, Signer, Statement } from './types.ts';
import { Verifier } from './verify.ts';

async function refused(
  t: Test,
  bed: DirectoryBed,
  record: SignedRecord,
  reason: Reason,
  more: { signer?: string; message?: RegExp } = {},
) {
  await t.rejects(bed.verifier.verify(record, bed.clock.wallMs), { name: 'RecordError', reason, ...more });
}

function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 1;
  return copy;
}

/** Signs any bytes, as a member that does not keep to the rules would. */
async function signedRaw(signer: Signer, body: Uint8Array): Promise<SignedRecord> {
  return { body, certificate: signer.certificate, signature: await signer.sign(signedBytes(body)) };
}

const CONTENTS: { [K in Kind]?: Contents[K] } = {
  layer: layer('a'),
  checkpoint: checkpoint('c1'),
  ref: ref('app:1', [layer('a').chainId], {
    index: { digest: digest('i'), sizeBytes: 9, mediaType: 'x', blocks: [sha('i')] },
  }),
  removal: { image: 'app:1', chainIds: [layer('a').chainId], recordIds: [sha('r')] },
};

t.test('what a node signs comes back as it said it, under one id whoever carries it', async (t) => {
  const bed = await DirectoryBed.make(t);
  const n1 = await bed.node('n1');
  for (const [kind, content] of Object.entries(CONTENTS) as [Kind, Contents[Kind]][]) {
    const record = await bed.record(n1, kind, content);
    const held = await bed.verifier.verify(record, bed.clock.wallMs);
    const id = recordIdOf(record.body, n1.key);
    t.same(held, { kind, node: 'n1', createdMs: bed.clock.wallMs, content, id, signer: n1.key }, kind);
  }
  const revocation = await bed.revocation(n1);
  const held = await bed.verifier.verify(revocation, bed.clock.wallMs);
  t.match(held, { kind: 'revocation', node: 'forage', content: { key: n1.key, node: 'n1' } });
});

t.test('a flipped bit anywhere is refused', async (t) => {
  const bed = await DirectoryBed.make(t);
  const record = await bed.record('n1', 'layer', layer('a'));
  for (let at = 0; at < record.body.length; at += 7)
    await refused(t, bed, { ...record, body: flipped(record.body, at) }, 'signature', { signer: 'n1' });
  for (let at = 0; at < 64; at += 3)
    await refused(t, bed, { ...record, signature: flipped(record.signature, at) }, 'signature');
  for (let at = 0; at < record.certificate.length; at += 11) {
    const forged = { ...record, certificate: flipped(record.certificate, at) };
    await t.rejects(
      bed.verifier.verify(forged, bed.clock.wallMs),
      { name: 'RecordError', reason: /^(certificate|authority)$/ },
      `byte ${at} of the certificate`,
    );
  }
});

t.test('a signature of another member, or over something else, is refused', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [n1, n2] = [await bed.node('n1'), await bed.node('n2')];
  const record = await bed.record(n1, 'layer', layer('a'));
  await refused(t, bed, { ...record, certificate: n2.certificate }, 'signature', { signer: 'n2' });
  await refused(t, bed, { ...record, signature: await n1.sign(record.body) }, 'signature');
  const inAnothersName = { kind: 'layer', node: 'n2', createdMs: bed.clock.wallMs, content: layer('a') };
  await refused(t, bed, await signedRaw(n1, encodeBody(inAnothersName as Statement)), 'role', {
    message: /signed by n1 in the name of n2/,
  });
});

t.test('certificates of another cluster are refused, also where it has the same name', async (t) => {
  const [bed, other] = [await DirectoryBed.make(t), await DirectoryBed.make(t)];
  const record = await other.record('n1', 'layer', layer('a'));
  await refused(t, bed, record, 'authority');
  await refused(t, bed, await other.revocation(await bed.node('n1')), 'authority');
  const both = new Verifier(Buffer.concat([bed.ca, Buffer.from('\n'), other.ca]));
  t.match(
    await both.verify(record, bed.clock.wallMs),
    { node: 'n1' },
    'while one authority replaces another',
  );
});

t.test('certificates that are none, or more than one, are refused', async (t) => {
  const bed = await DirectoryBed.make(t);
  const record = await bed.record('n1', 'layer', layer('a'));
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(record.certificate).toString('base64')}\n-----END CERTIFICATE-----`;
  const wrong = [
    Buffer.alloc(0),
    Buffer.from('none'),
    Buffer.from(pem),
    Buffer.concat([record.certificate, Buffer.from('more')]),
    Buffer.concat([record.certificate, Buffer.alloc(5000)]),
  ];
  for (const certificate of wrong) await refused(t, bed, { ...record, certificate }, 'certificate');
});

t.test('only nodes make records, and only the authority revokes', async (t) => {
  const bed = await DirectoryBed.make(t);
  const n1 = await bed.node('n1');
  for (const role of ['forage-user', AUTHORITY_ROLE]) {
    const nobody = await bed.crafted({ role, name: 'x' });
    await refused(t, bed, await bed.record(nobody, 'layer', layer('a')), 'role', { signer: 'x' });
    await refused(t, bed, await bed.record(nobody, 'revocation', revocationOf(n1.certificate)), 'role');
  }
  const authority = authoritySigner(bed.authority);
  await refused(t, bed, await bed.record(authority, 'layer', layer('a')), 'role');
  await refused(t, bed, await bed.record(n1, 'revocation', revocationOf(n1.certificate)), 'role');
  const itself = await bed.record(authority, 'revocation', revocationOf(authority.certificate));
  await refused(t, bed, itself, 'role', { message: /not revoked, but replaced/ });
});

t.test('a record from the future is refused until its time has come, give or take ten minutes', async (t) => {
  const bed = await DirectoryBed.make(t);
  const nowMs = bed.clock.wallMs;
  const at = (ms: number) => bed.record('n1', 'layer', layer('a'), nowMs + ms);
  await refused(t, bed, await at(11 * 60_000), 'future', { signer: 'n1' });
  t.ok(await bed.verifier.verify(await at(9 * 60_000), nowMs));
  t.ok(await bed.verifier.verify(await at(11 * 60_000), nowMs + 2 * 60_000));
});

t.test('a record outlives its signer, but was made while the certificate was valid', async (t) => {
  const bed = await DirectoryBed.make(t);
  const nowMs = bed.clock.wallMs;
  const old = await bed.crafted({
    name: 'old',
    notBefore: new Date(nowMs - 30 * DAY_MS),
    notAfter: new Date(nowMs - 10 * DAY_MS),
  });
  const at = (days: number) => bed.record(old, 'layer', layer('a'), nowMs + days * DAY_MS);
  t.match(await bed.verifier.verify(await at(-20), nowMs), { node: 'old' });
  for (const days of [-31, -9, 0]) await refused(t, bed, await at(days), 'validity', { signer: 'old' });
  await refused(t, bed, await bed.record(old, 'layer', layer('a'), Number.MAX_SAFE_INTEGER), 'validity');
});

t.test('bodies that say what none may say are refused, though they are signed', async (t) => {
  const bed = await DirectoryBed.make(t);
  const n1 = await bed.node('n1');
  const createdMs = String(bed.clock.wallMs);
  const body = () => new pb.Body().setNode('n1').setCreatedMs(createdMs);
  const id = Buffer.alloc(32, 7);
  const part = () => new pb.Content().setDigest(id).setSizeBytes(9).setMediaType('x').setBlocks(id);
  const some = () => new pb.Ref().setImage('app:1').setManifest(part()).setConfig(part()).setChainIds(id);
  const point = () =>
    new pb.Checkpoint().setId('c').setImage('app:1').setDocument(part()).setVolumeRoots(id).setMemoryRoot(id);
  const plain = point().setImage('').setVolumeRoots('').setWorkingSet(part());
  const good = [body().setRef(some()), body().setCheckpoint(point()), body().setCheckpoint(plain)];
  for (const message of good)
    t.ok(await bed.verifier.verify(await signedRaw(n1, message.serializeBinary()), bed.clock.wallMs));
  const wrong = {
    'no name': body().setNode('').setRef(some()),
    'a time beyond all clocks': body().setCreatedMs('9223372036854775808').setRef(some()),
    'no image': body().setRef(some().setImage('')),
    'an image name with a space': body().setRef(some().setImage('a b')),
    'a long image name': body().setRef(some().setImage('a'.repeat(513))),
    'no manifest': body().setRef(some().setManifest(undefined)),
    'an empty object': body().setRef(some().setConfig(part().setSizeBytes(0))),
    'a huge object': body().setRef(some().setConfig(part().setSizeBytes(2 ** 31))),
    'no blocks': body().setRef(some().setConfig(part().setBlocks(''))),
    'too many blocks': body().setRef(some().setIndex(part().setBlocks(Buffer.alloc(65 * 32)))),
    'no layers': body().setRef(some().setChainIds('')),
    'half a chainID': body().setRef(some().setChainIds(Buffer.alloc(48))),
    'too many layers': body().setRef(some().setChainIds(Buffer.alloc(513 * 32))),
    'no checkpoint id': body().setCheckpoint(point().setId('../c')),
    'too many volumes': body().setCheckpoint(point().setVolumeRoots(Buffer.alloc(65 * 32))),
    'no memory': body().setCheckpoint(point().setMemoryRoot('')),
    'no document': body().setCheckpoint(point().setDocument(undefined)),
    'an empty working set': body().setCheckpoint(point().setWorkingSet(part().setSizeBytes(0))),
    'a removal of nothing': body().setRemoval(new pb.Removal()),
    'a removal of too much': body().setRemoval(
      new pb.Removal().setChainIds(id).setRecordIds(Buffer.alloc(MAX_REMOVAL_NAMES * 32)),
    ),
    'a revocation of half a key': body().setRevocation(
      new pb.Revocation().setKey(id.subarray(16)).setNode('n'),
    ),
    'a layer of nothing': body().setLayer(new peer.LayerRecord()),
  };
  for (const [what, message] of Object.entries(wrong))
    await refused(t, bed, await signedRaw(n1, message.serializeBinary()), 'malformed', { signer: 'n1' }).then(
      () => t.pass(what),
    );
  await refused(t, bed, await signedRaw(n1, body().serializeBinary()), 'unknown');
  await refused(t, bed, await signedRaw(n1, Buffer.alloc(MAX_BODY_BYTES + 1)), 'malformed');
  await refused(t, bed, await signedRaw(n1, Buffer.alloc(0)), 'malformed');
  await refused(
    t,
    bed,
    { ...(await signedRaw(n1, good[0]!.serializeBinary())), signature: Buffer.alloc(63) },
    'signature',
  );
});

t.test('a layer whose digests do not fit together is refused', async (t) => {
  const bed = await DirectoryBed.make(t);
  const wrong = [
    layer('a', { parent: layer('b').chainId, chainId: layer('c').chainId }),
    layer('a', { diffId: layer('b').diffId }),
    layer('a', { format: '../../etc' }),
    layer('a', { diffId: '' }),
  ];
  for (const content of wrong)
    await t.rejects(bed.record('n1', 'layer', content), { name: 'RecordError', reason: 'malformed' });
  const walked = layer('a', { diffId: '', origin: 'walked' });
  t.match(await bed.verifier.verify(await bed.record('n1', 'layer', walked), bed.clock.wallMs), {
    content: walked,
  });
});
