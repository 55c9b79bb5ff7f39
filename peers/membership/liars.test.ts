/** Members with a good certificate that lie, repeat or talk garbage (FUZZ_CASES sets how much, FORAGE_SEED repeats a run). */
import { lpStream } from '@libp2p/utils';
import t, { type Test } from 'tap';
import { seededPick } from '../../blocks/testing.ts';
import { type Announcement, seal } from './announcement.ts';
import { type OwnKey, ownKey } from './certificates.ts';
import { Cluster, reasons, until } from './cluster.twin.ts';
import { encodeDigest } from './digest.ts';
import { seen } from './discovery.conformance.ts';
import { EXCHANGE_PROTOCOL } from './exchange.ts';
import type { Host } from './host.ts';
import { MAX_MEMBERS, MAX_MESSAGE_BYTES } from './limits.ts';

/** Talk on live streams is a hundredth of what the decoders get in announcement.test.ts. */
const CASES = Number(process.env.FUZZ_CASES ?? 10_000) / 100;
const ANNOUNCEMENTS = 'forage/members/1';

function said(name: string, more: Partial<Announcement> = {}): Announcement {
  const [service, address] = [`${name}:7400`, `${name}.invalid:7401`];
  return {
    incarnation: 1,
    sequence: 1,
    everyMs: 5000,
    capacityBytes: 1,
    leaving: false,
    service,
    address,
    ...more,
  };
}

const count = (value: number) => Buffer.from([value >> 8, value & 255]);
const passedOn = (announcement: Buffer, agoMs = 0) => {
  const ago = Buffer.alloc(4);
  ago.writeUInt32BE(agoMs);
  return Buffer.concat([ago, announcement]);
};

/** An honest node, an honest member, and one that has a certificate and does what the test says. */
async function bed(t: Test) {
  const cluster = await Cluster.make(t);
  const n1 = await cluster.start('n1');
  const n2 = await cluster.start('n2', [n1.node.address]);
  await until(() => seen(n1.node) === 'n2 alive');
  const liar = await cluster.host(await cluster.identity('liar'));
  await liar.host.dial(n1.node.address);
  return { cluster, n1, n2, liar };
}

/** Sends frames as an exchange would; answers after the other end has ended the stream. */
async function exchanged(host: Host, frames: Buffer[]): Promise<void> {
  const stream = await host.connections()[0]!.newStream(EXCHANGE_PROTOCOL);
  const ended = new Promise((end) => {
    stream.addEventListener('close', end);
    stream.addEventListener('remoteCloseWrite', end);
  });
  const { write } = lpStream(stream);
  for (const frame of frames) await write(frame).catch(() => {});
  await ended;
  stream.abort(new Error('done'));
}

const NOTHING = encodeDigest(new Map());

function own({ certificate, signing }: OwnKey, more: Partial<Announcement> = {}): Buffer {
  return seal(said('liar', more), certificate, signing);
}

t.test('an announcement that another member signed is refused, and who passed it on is named', async (t) => {
  const { cluster, n1, liar } = await bed(t);
  const { certificate } = ownKey(await cluster.identity('n2'));
  const forged = seal(said('n2', { incarnation: 2 ** 52, leaving: true }), certificate, liar.key.signing);
  await exchanged(liar.host, [NOTHING, count(1), passedOn(forged)]);
  t.equal(seen(n1.node), 'n2 alive');
  t.match(n1.log.lines, [['a peer was refused', { peer: 'liar', reason: 'a forged announcement of n2' }]]);
});

t.test('by gossip only its subject can publish an announcement, though it is a true one', async (t) => {
  const { cluster, n1, liar } = await bed(t);
  const n3 = await cluster.host(await cluster.identity('n3'));
  const { certificate, signing } = n3.key;
  const truth = seal(said('n3'), certificate, signing);
  liar.host.gossip.subscribe(ANNOUNCEMENTS);
  await until(() => liar.host.gossip.getSubscribers(ANNOUNCEMENTS).length > 0);
  await liar.host.gossip.publish(ANNOUNCEMENTS, truth);
  await until(() => reasons(n1.log).includes('somebody else announced n3'));
  t.equal(seen(n1.node), 'n2 alive');
  await liar.host.gossip.publish(ANNOUNCEMENTS, own(liar.key));
  await until(() => seen(n1.node) === 'liar alive, n2 alive');
  await exchanged(liar.host, [NOTHING, count(1), passedOn(truth)]);
  t.equal(seen(n1.node), 'liar alive, n2 alive, n3 alive', 'while an exchange passes on what others say');
});

t.test('an announcement that is repeated changes nothing', async (t) => {
  const { n1, liar } = await bed(t);
  const [first, bye] = [own(liar.key), own(liar.key, { sequence: 2, leaving: true })];
  await exchanged(liar.host, [NOTHING, count(1), passedOn(first)]);
  t.equal(seen(n1.node), 'liar alive, n2 alive');
  await exchanged(liar.host, [NOTHING, count(1), passedOn(bye)]);
  t.equal(seen(n1.node), 'liar left, n2 alive');
  await exchanged(liar.host, [NOTHING, count(2), passedOn(first), passedOn(bye)]);
  t.equal(seen(n1.node), 'liar left, n2 alive');
  t.strictSame(n1.log.lines, [], 'and is nothing that anybody is named for');
});

t.test('an exchange that promises or asks too much is ended', async (t) => {
  const { n1, liar } = await bed(t);
  const wrong: [Buffer[], RegExp][] = [
    [[NOTHING, count(MAX_MEMBERS + 2)], /wrong count/],
    [[NOTHING, Buffer.alloc(3)], /wrong count/],
    [[Buffer.alloc(10, 255)], /a digest of 65535 names/],
    [[NOTHING, count(1), Buffer.alloc(3)], /cut off/],
    [[NOTHING, count(1), passedOn(own(liar.key), 2 ** 32 - 1)], /ms ago/],
    [[NOTHING, count(1), passedOn(Buffer.alloc(100))], /version 0/],
  ];
  for (const [frames, reason] of wrong) {
    await exchanged(liar.host, frames);
    await until(() => reasons(n1.log).some((one) => reason.test(one)));
  }
  await exchanged(liar.host, [Buffer.alloc(1 << 20)]);
  t.equal(seen(n1.node), 'n2 alive');
});

t.test(
  'a message that is too long, or of somebody whose certificate nobody has shown, is not heard',
  async (t) => {
    const { n1, n2, liar } = await bed(t);
    const got: string[] = [];
    n1.node.subscribe('news', (bytes) => void got.push(`n1 ${bytes.length}`));
    n2.node.subscribe('news', (bytes, from) => void got.push(`n2 ${bytes.length} of ${from}`));
    const topic = 'forage/topic/news';
    liar.host.gossip.subscribe(topic);
    await until(() => liar.host.gossip.getSubscribers(topic).length > 0);
    await liar.host.gossip.publish(topic, new Uint8Array(MAX_MESSAGE_BYTES + 1));
    await liar.host.gossip.publish(topic, new Uint8Array(10));
    await until(() => got.length > 0);
    t.strictSame(got, ['n1 10'], 'n2 has never heard of it');
    await n1.node.publish('news', new Uint8Array(1));
    await until(() => got.length > 1);
    t.strictSame(got, ['n1 10', 'n2 1 of n1']);
  },
);

t.test('garbage on streams and in gossip leaves a node as it was', async (t) => {
  const { n1, n2, liar } = await bed(t);
  const pick = seededPick(t);
  const noise = (most: number) => Buffer.from(Array.from({ length: pick(most) }, () => pick(256)));
  const before = seen(n1.node);
  for (let i = 0; i < CASES; i++) {
    const good = [NOTHING, count(1), passedOn(own(liar.key, { incarnation: 0, sequence: 0 }))];
    good[pick(3)] = noise(300);
    const stream = await liar.host
      .connections()[0]!
      .newStream(pick(4) > 0 ? EXCHANGE_PROTOCOL : '/meshsub/1.2.0');
    stream.addEventListener('close', () => {});
    try {
      if (pick(2) === 0) stream.send(noise(2000));
      else for (const frame of good) await lpStream(stream).write(frame);
    } catch {}
    stream.abort(new Error('enough'));
    await liar.host.gossip.publish(ANNOUNCEMENTS, noise(900));
  }
  await liar.host.dial(n1.node.address);
  t.ok(liar.host.connections().length > 0, 'it still lets nodes in');
  // Among the noise is now and then what a node may say: that it is there itself.
  t.equal(seen(n1.node).replace('liar alive, ', ''), before);
  let got = '';
  n1.node.subscribe('news', (bytes, from) => {
    got = `${Buffer.from(bytes)} of ${from}`;
  });
  while (got === '') {
    await n2.node.publish('news', Buffer.from('hello'));
    await new Promise((next) => setTimeout(next, 100));
  }
  t.equal(got, 'hello of n2', 'and others are heard');
});
