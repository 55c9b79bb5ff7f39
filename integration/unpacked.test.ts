/** Every layer that a node unpacks becomes a volume that others can use, whatever happens meanwhile; unless its blob lies. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { chainIdsOf } from '../blocks/digest.ts';
import { type Cluster, eventually } from './lib/cluster.ts';
import { diffIdsOf, type ImageJson, layersHeld } from './lib/images.ts';
import { seededRandom } from './lib/random.ts';
import { sumOnce } from './lib/reader.ts';
import { type Bed, onEachContainerd, scenario } from './lib/versions.ts';
import { nerdctl } from './lib/ways.ts';

const INTERRUPTED_PULLS = 4;
const NO_INGEST = '[ingest]\nenabled = false\n';
const EXPECTED = [
  /a neighbour is gone/,
  /the node process is away/,
  /DiffIdMismatchError.*layer not ingested; it stays a directory/, // of the blobs that this test falsifies
  /forage.service: .*(status=9\/KILL|'signal'|left-over process|unclean termination)/, // the kill of this test
];

onEachContainerd('unpacked', EXPECTED, (t, bed) => {
  scenario(t, bed, 'a layer whose blob is not what its diffID says stays a directory', (t) => lies(t, bed));
  scenario(t, bed, 'a layer whose blob is gone becomes a volume all the same', (t) => noBlobs(t, bed));
  scenario(t, bed, 'ingest that a kill or a restart cuts off is taken up again', (t) => cutOff(t, bed));
  scenario(t, bed, 'ingest that a reboot forestalls is taken up again', (t) => rebooted(t, bed));
  scenario(t, bed, 'a pull that a restart of forage disturbs can be repeated', (t) => pulls(t, bed));
});

/** Pulls on n1, and leaves all layers in their directories until n1 is configured again. */
async function pullWithoutIngest({ cluster }: Bed, ...images: ImageJson[]): Promise<void> {
  await cluster.configure('n1', NO_INGEST);
  for (const { ref } of images) await cluster.sh('n1', nerdctl.pull(ref));
}

async function works(t: Test, { cluster }: Bed, image: ImageJson, node: string): Promise<void> {
  const { argv, prints } = image.smoke;
  t.match(await cluster.sh(node, nerdctl.run(image.ref, argv)), prints, `${image.name} works on ${node}`);
}

/** Waits until so many layers of n1 are volumes. */
async function becomeVolumes(cluster: Cluster, count: number): Promise<void> {
  const counted = async () => (await cluster.volumes('n1')).length === count;
  await eventually(`n1 has ${count} volumes`, counted);
}

async function lies(t: Test, bed: Bed): Promise<void> {
  const { cluster, redis } = bed;
  const diffIds = diffIdsOf(redis.path);
  const [honest, ...falsified] = chainIdsOf(diffIds);
  await pullWithoutIngest(bed, redis);
  // A byte of the second layer's tar becomes another, and the first layer's blob claims to be the third's.
  await cluster.sh(
    'n1',
    `blob() { ctr content ls -q 'labels."containerd.io/uncompressed"=='$1; }
     second=/var/lib/containerd/io.containerd.content.v1.content/blobs/sha256/$(blob ${diffIds[1]} | cut -d: -f2)
     { zcat $second | head -c 700; printf U; zcat $second | tail -c +702; } | gzip -9n > /run/falsified
     truncate -r $second /run/falsified && cat /run/falsified > $second && rm /run/falsified
     ctr content label $(blob ${diffIds[2]}) containerd.io/uncompressed= > /dev/null
     ctr content label $(blob ${diffIds[0]}) containerd.io/uncompressed=${diffIds[2]} > /dev/null`,
  );
  await cluster.configure('n1', '');
  await ingestOver(cluster, redis.layers);
  const made = (await cluster.volumes('n1')).map(({ chain_id }) => chain_id);
  t.same(made, [honest], 'no volume is made of either');
  const log = await cluster.sh('n1', 'journalctl -q -b -u forage -p err -o cat');
  for (const chainId of falsified) t.ok(log.includes(chainId), `the log names ${chainId}`);

  await works(t, bed, redis, 'n1');
  await works(t, bed, redis, 'n2');
  t.equal(await layersHeld(cluster, 'n2', redis), falsified.length, 'n2 has these two from the registry');
}

/** Waits until n1 has tried to make a volume of each of so many layers. */
async function ingestOver(cluster: Cluster, layers: number): Promise<void> {
  const tried = async () => {
    const { done, failed } = (await cluster.status('n1')).ingest;
    return done + failed === layers;
  };
  await eventually(`n1 has tried ${layers} layers`, tried);
}

async function noBlobs(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  await pullWithoutIngest(bed, torture);
  const truth = await sumOnce(cluster, 'n1', 'forage', torture.ref);
  await cluster.sh(
    'n1',
    `ctr content ls -q 'labels."containerd.io/uncompressed"' | xargs ctr content rm > /dev/null`,
  );
  t.equal(await layersHeld(cluster, 'n1', torture), 0, 'the blobs are gone');
  await cluster.configure('n1', '');
  await becomeVolumes(cluster, torture.layers);
  t.equal(await sumOnce(cluster, 'n1', 'forage', torture.ref), truth, 'its files are the same on n1');
  t.equal(await sumOnce(cluster, 'n2', 'forage', torture.ref), truth, 'and on n2');
  t.equal(await layersHeld(cluster, 'n2', torture), 0, 'which downloaded no layer');
}

async function cutOff(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture, redis } = bed;
  await pullWithoutIngest(bed, torture, redis);
  await cluster.configure('n1', '');
  for (const end of ['systemctl kill --signal=KILL --kill-whom=main forage', 'systemctl restart forage']) {
    await eventually('a layer is worked on', async () => (await cluster.status('n1')).ingest.running > 0);
    await cluster.sh('n1', `${end}; until forage status > /dev/null 2>&1; do sleep 0.1; done`);
  }
  await becomeVolumes(cluster, torture.layers + redis.layers);
  for (const image of [torture, redis]) await works(t, bed, image, 'n2');
}

async function rebooted(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  await pullWithoutIngest(bed, torture);
  await cluster.configure('n1', '', 'reboot');
  await becomeVolumes(cluster, torture.layers);
  await works(t, bed, torture, 'n1');
  await works(t, bed, torture, 'n2');
  t.equal(await layersHeld(cluster, 'n2', torture), 0, 'n2 downloaded no layer');
}

async function pulls(t: Test, bed: Bed): Promise<void> {
  const { cluster, redis } = bed;
  const random = seededRandom();
  t.comment(`seed ${random.seed}`);
  for (let i = 0; i < INTERRUPTED_PULLS; i++) {
    const node = i % 2 === 0 ? 'n1' : 'n2';
    const pulling = cluster.run(node, ['sh', '-c', nerdctl.pull(redis.ref)]);
    await sleep(random.between(0, 1500));
    await cluster.sh(node, 'systemctl restart forage');
    const { status, stderr } = await pulling;
    t.comment(status === 0 ? 'the pull went through' : stderr.trim().split('\n').at(-1));
    await again(t, bed, node);
    await cluster.sh(node, `ctr image rm --sync registry:5000/${redis.ref}`);
  }
}

/** containerd may take a few seconds until it has connected to forage again. */
async function again(t: Test, { cluster, redis }: Bed, node: string): Promise<void> {
  const { argv, prints } = redis.smoke;
  let out = '';
  const ran = async () => {
    const result = await cluster.run(node, ['sh', '-c', nerdctl.run(redis.ref, argv)]);
    out = result.stdout + result.stderr;
    return result.status === 0;
  };
  await eventually(`a pull works again: ${out}`, ran);
  t.match(out, prints, 'the image works');
}
