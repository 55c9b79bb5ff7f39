/** Containers move between nodes by what ctr and a kubelet have for it: state, files, logs and network are as they should be. */
import t, { type Test } from 'tap';
import { list, scenarios } from './lib/checkpoints.ts';
import { type Cluster, ensureCluster, eventually, pushImages } from './lib/cluster.ts';
import { type Pod, pushCheckpoint, startContainer, startPod } from './lib/pods.ts';
import { versions } from './lib/versions.ts';
import { quoted } from './lib/ways.ts';
import { execute, hasher, inside } from './lib/workloads.ts';

const NODES = ['n1', 'n2'] as const;
const IMAGE = 'registry:5000/python:v1';
/** What a checkpoint may be for the tools that carry it, however much memory the container has. */
const MAX_BYTES = 64 << 10;

for (const containerd of versions) {
  t.test(`with containerd ${containerd}`, async (t) => {
    const cluster = await ensureCluster(2, `waysin${containerd.replace('.', '')}`, {
      containerd,
      repairs: true,
    });
    t.teardown(() => cluster.do('down'));
    await pushImages(cluster, ['busybox', 'python:v1']);
    const scenario = scenarios(t, cluster, NODES);
    await scenario('ctr containers checkpoint and restore, by a file and by a registry', (t) =>
      byCtr(t, cluster),
    );
    if (containerd === '1.7') return; // its CRI has no checkpoints
    await scenario('CRI: a container goes to a pod on another node, and back as an image', async (t) => {
      try {
        await byCri(t, cluster);
      } finally {
        for (const node of NODES) await cluster.sh(node, 'crictl rmp -fa > /dev/null');
      }
    });
  });
}

const CHANGE = ['sh', '-c', 'echo new > /new; rm /etc/debian_version'];
const CHANGED = ['sh', '-c', 'cat /new; ls /etc/debian_version 2> /dev/null | wc -l'];

async function byCtr(t: Test, cluster: Cluster): Promise<void> {
  const workload = hasher(64);
  await cluster.sh('n1', `nerdctl --snapshotter forage pull -q ${IMAGE} > /dev/null`);
  const run = 'ctr run -d --snapshotter forage --runc-binary /usr/bin/forage-runc';
  await cluster.sh('n1', `${run} ${IMAGE} web ${quoted(workload.argv)}`);
  const state = await inside(cluster, 'n1', 'web', workload.prepare);
  await execute(cluster, 'n1', 'web', CHANGE);

  await cluster.sh('n1', 'ctr containers checkpoint --task web web:v1');
  await cluster.sh('n1', 'ctr images export --skip-manifest-json /run/web.tar web:v1');
  const archive = await fetched(cluster, 'n1', '/run/web.tar');
  t.ok(archive.length < MAX_BYTES, `${archive.length} bytes for 64 MiB`);
  await put(cluster, 'n2', '/run/web.tar', archive);
  await cluster.sh('n2', 'ctr images import --no-unpack /run/web.tar > /dev/null');
  const { status, stderr } = await cluster.run('n2', [
    'ctr',
    'containers',
    'restore',
    '--live',
    'web',
    'web:v1',
  ]);
  t.equal(status, 1);
  t.match(stderr, /registry:5000\/python:v1.*not found/, 'ctr wants the image');

  await cluster.sh('n2', `nerdctl --snapshotter forage pull -q ${IMAGE} > /dev/null`);
  const ref = 'registry:5000/checkpoint/web:v1';
  await cluster.sh('n1', `ctr images tag web:v1 ${ref} && ctr images push --plain-http ${ref} > /dev/null`);
  await cluster.sh('n2', `ctr content fetch --plain-http ${ref} > /dev/null`);
  for (const [id, from] of [
    ['web', 'web:v1'],
    ['web2', ref],
  ] as const) {
    await cluster.sh('n2', `ctr containers restore --live ${id} ${from}`);
    t.equal(await inside(cluster, 'n2', id, workload.check), state, `${from}: its memory`);
    t.equal(await inside(cluster, 'n2', id, CHANGED), 'new\n0\n', `${from}: its files`);
  }
}

/** Answers requests with a hash of all its memory, and counts in its log. */
const SERVICE = `
import hashlib, http.server, sys, threading, time
data = b"".join(hashlib.sha256(i.to_bytes(8, "big")).digest() * 32768 for i in range(int(sys.argv[1])))
class Service(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(hashlib.sha256(data).hexdigest().encode())
    def log_message(self, *_): pass
server = http.server.HTTPServer(("0.0.0.0", 8080), Service)
threading.Thread(target=server.serve_forever, daemon=True).start()
count = 0
while True:
    count += 1; print("line", count, flush=True); time.sleep(0.1)
`;

async function byCri(t: Test, cluster: Cluster): Promise<void> {
  for (const node of NODES) await nearRegistry(cluster, node);
  const first = await startPod(cluster, 'n1', 'first');
  const image = 'localhost:5000/python:v1';
  await cluster.sh('n1', `crictl pull ${image} > /dev/null`);
  const began = await startContainer(cluster, first, 'web', image, ['python3', '-c', SERVICE, '300']);
  const state = await answer(cluster, first);
  await cluster.sh('n1', `crictl exec ${began} ${quoted(CHANGE)}`);
  const archive = await checkpoint(cluster, first, began);
  t.ok(archive.length < MAX_BYTES, `${archive.length} bytes for 300 MiB`);
  await cluster.sh('n1', `crictl rm -f ${began} > /dev/null`);

  const [made] = await list(cluster);
  const alone = await cluster.run('n2', ['forage', 'restore', made!.id]);
  t.match(alone.stderr, /a container of a pod is restored over CRI/, 'without a pod it is refused');

  const second = await startPod(cluster, 'n2', 'second');
  await put(cluster, 'n2', '/run/web.tar', archive);
  const moved = await startContainer(cluster, second, 'web', '/run/web.tar');
  await isAsItWas(t, cluster, second, moved, state);

  await pushCheckpoint(cluster, await checkpoint(cluster, second, moved), 'web', 'checkpoint:v1');
  await cluster.sh('n1', 'crictl pull localhost:5000/checkpoint:v1 > /dev/null');
  const back = await startContainer(cluster, first, 'web', 'localhost:5000/checkpoint:v1');
  await isAsItWas(t, cluster, first, back, state);
}

async function isAsItWas(
  t: Test,
  cluster: Cluster,
  pod: Pod,
  container: string,
  state: string,
): Promise<void> {
  t.equal(
    await answer(cluster, pod),
    state,
    `${pod.node}: its memory, and it answers at the address of its new pod`,
  );
  t.equal(
    await cluster.sh(pod.node, `crictl exec ${container} ${quoted(CHANGED)}`),
    'new\n0\n',
    `${pod.node}: its files`,
  );
  const lines = async () =>
    (await cluster.sh(pod.node, `cat ${pod.folder}/web.log`)).match(/line \d+$/gm) ?? [];
  const before = (await lines()).length;
  await eventually('its log goes on', async () => (await lines()).length > before);
  // containerd copies the log a moment after the dump: a line may be there twice.
  const all = [...new Set(await lines())];
  t.same(
    all,
    all.map((_, i) => `line ${i + 1}`),
    `${pod.node}: its log has all lines from the first on`,
  );
}

/** Of the container's memory, once it is there. */
async function answer(cluster: Cluster, { node, address }: Pod): Promise<string> {
  return cluster.sh(node, `curl -sf --retry 120 --retry-delay 1 --retry-connrefused http://${address}:8080/`);
}

async function checkpoint(cluster: Cluster, { node, folder }: Pod, container: string): Promise<Buffer> {
  const path = `${folder}/checkpoint.tar`;
  await cluster.sh(node, `rm -f ${path}; crictl checkpoint --export ${path} ${container}`);
  return fetched(cluster, node, path);
}

/** To restore, containerd asks the image's registry itself, whatever hosts.toml says: by TLS, but for localhost. */
async function nearRegistry(cluster: Cluster, node: string): Promise<void> {
  const proxy = '/usr/lib/systemd/systemd-socket-proxyd registry:5000';
  await cluster.sh(
    node,
    `systemctl -q is-active near-registry.socket ||
     systemd-run --quiet --unit near-registry --socket-property=ListenStream=127.0.0.1:5000 ${proxy}`,
  );
}

async function fetched(cluster: Cluster, node: string, path: string): Promise<Buffer> {
  return Buffer.from(await cluster.sh(node, `base64 ${path}`), 'base64');
}

async function put(cluster: Cluster, node: string, path: string, content: Buffer): Promise<void> {
  await cluster.sh(node, `base64 -d > ${path}`, { input: content.toString('base64') });
}
