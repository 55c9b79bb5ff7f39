import t from 'tap';
import { diffIdsFrom, manifestFrom, manifestsFor, ownPlatform } from './oci.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const amd64 = { os: 'linux', architecture: 'amd64' };
const MALFORMED = { name: 'MalformedError' };

function entry(digit: string, platform: unknown, mediaType = MANIFEST) {
  return { mediaType, digest: digest(digit), size: 7, platform };
}

t.test('an index gives the manifests for the platform, and those that do not say', async (t) => {
  const manifests = [
    entry('1', { os: 'linux', architecture: 'arm64', variant: 'v8' }),
    entry('2', amd64),
    entry('3', { os: 'unknown', architecture: 'unknown' }),
    entry('4', undefined),
    entry('5', amd64, 'application/vnd.example+json'),
  ];
  const found = manifestsFor(json({ manifests }), amd64);
  t.same(
    found.map((one) => one.digest),
    [digest('2'), digest('4')],
  );
});

t.test('this process has a platform in the words of Go', async (t) => {
  const { os, architecture } = ownPlatform();
  t.equal(os, 'linux');
  t.not(architecture, 'x64');
});

t.test('a manifest gives its configuration, a configuration its diffIDs', async (t) => {
  const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('c') };
  t.same(manifestFrom(json({ config, layers: [{}, {}] })), { config, layerCount: 2 });
  const diff_ids = [digest('a'), digest('b')];
  t.same(diffIdsFrom(json({ rootfs: { type: 'layers', diff_ids } })), diff_ids);
});

t.test('documents that are something else are refused', async (t) => {
  for (const bytes of [Buffer.from('{'), json(null), json([]), json(7), json({})]) {
    t.throws(() => manifestsFor(bytes, amd64), MALFORMED);
    t.throws(() => manifestFrom(bytes), MALFORMED);
    t.throws(() => diffIdsFrom(bytes), MALFORMED);
  }
  t.throws(() => manifestsFor(json({ manifests: Array(257).fill({}) }), amd64), MALFORMED);
  t.throws(
    () => manifestsFor(json({ manifests: [{ ...entry('1', amd64), digest: 'x' }] }), amd64),
    MALFORMED,
  );
  t.throws(() => manifestFrom(json({ config: { mediaType: MANIFEST }, layers: [] })), MALFORMED);
  t.throws(() => diffIdsFrom(json({ rootfs: { diff_ids: [] } })), MALFORMED);
  t.throws(() => diffIdsFrom(json({ rootfs: { diff_ids: ['sha512:00'] } })), MALFORMED);
  t.throws(() => diffIdsFrom(json({ rootfs: { diff_ids: Array(513).fill(digest('a')) } })), MALFORMED);
});
