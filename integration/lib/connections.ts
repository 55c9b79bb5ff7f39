/** A TCP connection to a container, by an address that moves along with it. */
import type { Test } from 'tap';
import { begin, checkpoint, removeContainers } from './checkpoints.ts';
import { type Cluster, eventually } from './cluster.ts';
import type { Workload } from './workloads.ts';

const PORT = 9000;
/** The kernel sends again what was not answered after twice the time that it waited before. */
const RESENT_MAX_MS = 180_000;

const SERVER = `
import socket, threading
def serve(peer):
    count = 0
    for line in peer.makefile():
        count += 1
        peer.sendall(f"{count} {line}".encode())
listening = socket.create_server(("0.0.0.0", ${PORT}), reuse_port=True)
while True:
    try: threading.Thread(target=serve, args=(listening.accept()[0],), daemon=True).start()
    except OSError: pass
`;

/** Says hello over and over on one connection, and writes down what it hears. */
const CLIENT = `
const socket = require('net').connect(${PORT}, process.argv[2]);
const say = (text) => require('fs').appendFileSync('/tmp/heard', text);
socket.on('data', (bytes) => say(bytes.toString()));
socket.on('error', () => {}).on('close', () => { say('closed\\n'); process.exit(); });
setInterval(() => socket.write('hello\\n'), 50);
`;

const server: Workload = {
  name: 'a server of lines',
  image: 'python:v1',
  argv: ['python3', '-c', SERVER],
  prepare: [
    'sh',
    '-c',
    `until grep -qi :${PORT.toString(16)} /proc/net/tcp; do sleep 0.1; done; echo it listens`,
  ],
  check: ['true'],
};

const NODE = '/usr/lib/forage/node_modules/node/bin/node';

/** Kept where the address has come along; closed, with the container going on, where it has not. */
export async function keepsConnections(t: Test, cluster: Cluster): Promise<void> {
  const own = (await cluster.sh('n1', "ip -4 -br addr show eth0 | awk '{print $3}'")).trim();
  const moving = own.replace(/\.\d+\/(\d+)$/, '.200/$1');
  const address = moving.replace(/\/\d+$/, '');
  await cluster.sh('n1', `ip addr add ${moving} dev eth0`);
  await cluster.sh('n3', 'ip neigh flush dev eth0');
  t.teardown(async () => {
    for (const node of ['n1', 'n2'])
      await cluster.sh(node, `ip addr del ${moving} dev eth0 2> /dev/null || true`);
    await cluster.sh(
      'n3',
      'pkill -F /tmp/client.pid || true; rm -f /tmp/heard /tmp/client.js /tmp/client.pid',
    );
  });
  await begin(cluster, 'web', server, 'host');
  await cluster.sh('n3', 'rm -f /tmp/heard; cat > /tmp/client.js', { input: CLIENT });
  await cluster.sh('n3', `${NODE} /tmp/client.js ${address} > /dev/null 2>&1 & echo $! > /tmp/client.pid`);
  const heard = async () =>
    (await cluster.sh('n3', 'cat /tmp/heard 2> /dev/null || true')).trimEnd().split('\n');
  await eventually('it is heard', async () => (await heard()).length > 3);

  await checkpoint(cluster, 'moved', 'web', '--stop');
  const before = await heard();
  await cluster.sh('n1', `ip addr del ${moving} dev eth0`);
  // What the client sends before the connection is there again would be answered by a reset.
  const drop = (verb: string) => `iptables ${verb} INPUT -d ${address} -p tcp --dport ${PORT} -j DROP`;
  await cluster.sh('n2', `${drop('-I')} && ip addr add ${moving} dev eth0`);
  await cluster.sh('n3', 'ip neigh flush dev eth0');
  await cluster.sh('n2', `forage restore moved --name web2; status=$?; ${drop('-D')}; exit $status`);
  const isAgain = async () => (await heard()).length > before.length + 5;
  await eventually('it is heard again', isAgain, RESENT_MAX_MS);
  const all = await heard();
  t.same(
    all,
    Array.from({ length: all.length }, (_, i) => `${i + 1} hello`),
    'nothing is lost, nothing comes twice',
  );

  await removeContainers(cluster, ['n2']);
  await cluster.sh('n3', 'forage restore moved --name web3');
  const answer = `echo | timeout 5 ${NODE} -e "const s=require('net').connect(${PORT},'127.0.0.1');s.on('data',(b)=>{console.log(String(b));process.exit()});s.write('new\\n')"`;
  t.match(
    await cluster.sh('n3', answer),
    /^1 new/,
    'where the address is not, the container goes on without',
  );
}
