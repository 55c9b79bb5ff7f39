import t from 'tap';
import { BadDocumentError, type CheckpointDocument, decodeDocument, encodeDocument } from './document.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;

const good: Omit<CheckpointDocument, 'format'> = {
  id: 'web-1',
  node: 'n1',
  createdMs: 1_767_268_800_000,
  parent: 'web-0',
  container: { namespace: 'default', id: 'web' },
  wasLeftRunning: true,
  frozenMs: 12.5,
  memoryBytes: 4096,
  filesBytes: 0,
  made: {
    image: 'registry.example/web:2',
    snapshotter: 'forage',
    chainIds: [digest('a'), digest('b')],
    labels: { 'nerdctl/name': 'web' },
    runtime: {
      name: 'io.containerd.runc.v2',
      optionsType: 'containerd.runc.v1.Options',
      options: 'MgRydW5j',
    },
    boundFiles: [{ destination: '/etc/hosts', mode: 0o644, content: 'MTI3LjAuMC4xCg==' }],
    spec: { ociVersion: '1.2.0', process: { args: ['sh'] }, anything: [1, { else: true }] },
  },
};

t.test('a document is read as it was written, the OCI spec whole', async (t) => {
  t.same(decodeDocument(encodeDocument(good), 'web-1'), { format: 1, ...good });
  const { made: _, parent: __, ...least } = good;
  t.same(decodeDocument(encodeDocument(least), 'web-1'), { format: 1, ...least });
});

t.test('documents that are wrong are refused, with the reason', async (t) => {
  const { made } = good;
  const changed = (more: object) => Buffer.from(JSON.stringify({ format: 1, ...good, ...more }));
  const wrong = {
    'no JSON': Buffer.from('{'),
    'another version': changed({ format: 2 }),
    "another checkpoint's": changed({ id: 'web-2' }),
    'an id that is a path': changed({ parent: '../x' }),
    'a container that is a path': changed({ container: { namespace: 'default', id: '../../etc' } }),
    'a negative size': changed({ memoryBytes: -1 }),
    'a layer without digest': changed({ made: { ...made, chainIds: ['latest'] } }),
    'a snapshotter that is a path': changed({ made: { ...made, snapshotter: '/run/x.sock' } }),
    'options that are no base64': changed({ made: { ...made, runtime: { ...made!.runtime, options: '$' } } }),
    'no spec': changed({ made: { ...made, spec: undefined } }),
    'another field': changed({ hello: 1 }),
    'too long': Buffer.alloc(5 << 20, ' '),
  };
  for (const [what, bytes] of Object.entries(wrong))
    t.throws(() => decodeDocument(bytes, 'web-1'), BadDocumentError, what);
});
