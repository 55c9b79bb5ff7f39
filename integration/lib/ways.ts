/** The ways by which an image comes to a node and is run there: clients of containerd, with the forage snapshotter. */
import type { Cluster, ClusterOptions } from './cluster.ts';

/** `ref` is such as `redis:latest`; what is answered is a shell command. */
export interface Way {
  name: string;
  /** Whether the snapshotter is asked before a layer is downloaded. */
  lazy: boolean;
  pull(ref: string, namespace?: string): string;
  /** Pulls the image where it is not there yet. Prints what the image's command prints. */
  run(ref: string, argv: readonly string[], namespace?: string): string;
}

export const nerdctl: Way = {
  name: 'nerdctl run',
  lazy: true,
  pull: (ref, namespace = 'default') =>
    `nerdctl -n ${namespace} --snapshotter forage pull -q registry:5000/${ref}`,
  run: (ref, argv, namespace = 'default') =>
    `nerdctl -n ${namespace} --snapshotter forage run --rm --net none -q registry:5000/${ref} ${quoted(argv)}`,
};

/** ctr fetches all layers before it unpacks any: whatever the snapshotter, they are downloaded. */
const ctrLocal = ctr('ctr, --local', {
  lazy: false,
  flags: '--local --plain-http',
  registry: 'registry:5000',
});
const ctrTransfer = ctr('ctr, transfer service', {
  lazy: true,
  flags: '--plain-http',
  registry: 'registry:5000',
});
/** The transfer service of 1.7 knows no plain HTTP, and ctr asks it to unpack only for a platform that is named. */
const ctrTransferTls = ctr('ctr, transfer service', {
  lazy: true,
  flags: '--local=false --platform linux/$(dpkg --print-architecture)',
  registry: 'localhost:5443',
});

/** For 1.7 the registry has to be served by `serveTls`. */
export function ctrOf(containerd: ClusterOptions['containerd']): Way {
  return containerd === '1.7' ? ctrTransferTls : ctrTransfer;
}

export function waysOf(containerd: ClusterOptions['containerd']): Way[] {
  return [nerdctl, ctrOf(containerd), ctrLocal];
}

/** Serves the registry over TLS at `localhost:5443` of a node, until it reboots, by a certificate that containerd trusts. */
export async function serveTls(cluster: Cluster, machine: string): Promise<void> {
  const server = `
    const { readFileSync } = require('node:fs');
    const [key, cert] = ['key', 'crt'].map((end) => readFileSync('/run/tls.' + end));
    require('node:tls').createServer({ key, cert }, (near) => {
      const far = require('node:net').connect(5000, 'registry');
      near.on('error', () => far.destroy()).pipe(far.on('error', () => near.destroy())).pipe(near);
    }).listen(5443);`;
  await cluster.sh(
    machine,
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \\
       -addext subjectAltName=DNS:localhost -keyout /run/tls.key -out /run/tls.crt 2> /dev/null
     cp /run/tls.crt /etc/ssl/certs/
     systemd-run --quiet --unit tls-registry /usr/lib/forage/node_modules/node/bin/node -e "$(cat)"
     systemctl restart containerd`,
    { input: server },
  );
}

interface CtrOptions extends Pick<Way, 'lazy'> {
  flags: string;
  registry: string;
}

function ctr(name: string, { lazy, flags, registry }: CtrOptions): Way {
  const pull: Way['pull'] = (ref, namespace = 'default') =>
    `ctr -n ${namespace} image pull ${flags} --snapshotter forage ${registry}/${ref} > /dev/null`;
  const run: Way['run'] = (ref, argv, namespace = 'default') =>
    `${pull(ref, namespace)} &&
     ctr -n ${namespace} run --rm --snapshotter forage ${registry}/${ref} way-in ${quoted(argv)}`;
  return { name, lazy, pull, run };
}

export function quoted(argv: readonly string[]): string {
  return argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}
