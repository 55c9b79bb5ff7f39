import t from 'tap';
import { digest, ref, sha } from '../peers/directory/bed.twin.ts';
import type { Held, Ref } from '../peers/directory/types.ts';
import { canonicalName, listImages, newestRef } from './image-list.ts';

const [old, fresh] = ['old', 'fresh'].map((name) => ({
  ...ref('app:v1', []).manifest,
  digest: digest(name),
}));

function held(node: string, createdMs: number, content: Ref, id = sha(`${node} ${createdMs}`)): Held<'ref'> {
  return { kind: 'ref', node, signer: sha(node), createdMs, content, id };
}

const app = (manifest = fresh!, more: Partial<Ref> = {}) =>
  ref('app:v1', [digest('layer')], { manifest, ...more });

t.test('no refs are no images', async (t) => {
  t.same(listImages([]), []);
  t.equal(newestRef([]), undefined);
});

t.test('each name is listed once, with the nodes that say the same', async (t) => {
  const refs = [held('n3', 30, app()), held('n1', 20, app()), held('n2', 25, ref('a:1', []))];
  t.match(listImages(refs), [
    { name: 'a:1', nodes: ['n2'], chainIds: [] },
    {
      name: 'app:v1',
      digest: digest('fresh'),
      createdMs: 20,
      nodes: ['n1', 'n3'],
      outdated: [],
      chainIds: [digest('layer')],
    },
  ]);
});

t.test('a tag that was moved stands for what was pulled last', async (t) => {
  const refs = [held('n1', 10, app(old)), held('n2', 20, app()), held('n3', 15, app(old))];
  for (const order of [refs, refs.toReversed()]) {
    const [image] = listImages(order);
    t.match(image, { digest: digest('fresh'), createdMs: 20, nodes: ['n2'], outdated: ['n1', 'n3'] });
  }
});

t.test('at one time the higher id is the newer', async (t) => {
  const refs = [held('n1', 10, app(old), 'f'.repeat(64)), held('n2', 10, app(), '1'.repeat(64))];
  for (const order of [refs, refs.toReversed()]) t.match(listImages(order), [{ digest: digest('old') }]);
});

t.test('nodes of different architectures with one index say the same', async (t) => {
  const index = { ...fresh!, digest: digest('index') };
  const [image, ...more] = listImages([
    held('arm', 10, app(old, { index })),
    held('amd', 20, app(fresh, { index })),
  ]);
  t.match(image, { digest: digest('fresh'), createdMs: 10, nodes: ['amd', 'arm'], outdated: [] });
  t.same(more, []);
});

t.test('a node with two certificates is named once', async (t) => {
  const again = { ...held('n1', 20, app()), signer: sha('another key') };
  t.match(listImages([held('n1', 10, app()), again]), [{ nodes: ['n1'] }]);
});

t.test('what a person types is the name that containerd has', async (t) => {
  const names = {
    nginx: 'docker.io/library/nginx:latest',
    'nginx:1.27': 'docker.io/library/nginx:1.27',
    'grafana/grafana': 'docker.io/grafana/grafana:latest',
    'registry:5000/python:v1': 'registry:5000/python:v1',
    'registry:5000/python': 'registry:5000/python:latest',
    'localhost/a/b': 'localhost/a/b:latest',
    'quay.io/a/b@sha256:00': 'quay.io/a/b@sha256:00',
  };
  for (const [typed, name] of Object.entries(names)) t.equal(canonicalName(typed), name, typed);
});
