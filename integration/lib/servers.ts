/** Servers as people run them, each with a state that can be compared to the byte. */
import type { Workload } from './workloads.ts';

const SUM = 'local s=0; for i=1,20000 do s=s+#redis.call("get","k"..i) end return s';

/** Moves while a child of it writes the file of its commands anew. */
export const redis: Workload = {
  name: 'redis that saves',
  image: 'redis',
  argv: [
    'redis-server',
    '--save',
    '',
    '--appendonly',
    'yes',
    '--dir',
    '/tmp',
    '--enable-debug-command',
    'yes',
  ],
  prepare: [
    ...['sh', '-c'],
    `until redis-cli ping; do sleep 0.1; done > /dev/null
     { redis-cli eval 'for i=1,20000 do redis.call("set","k"..i,string.rep("x",900)..i) end' 0
       redis-cli config set rdb-key-save-delay 200; redis-cli bgrewriteaof; } > /dev/null
     redis-cli --raw eval '${SUM}' 0`,
  ],
  check: [
    ...['sh', '-c'],
    `while redis-cli info persistence | grep -q aof_rewrite_in_progress:1; do sleep 0.1; done
     redis-cli info persistence | grep -q aof_last_bgrewrite_status:ok && redis-cli debug loadaof > /dev/null
     redis-cli --raw eval '${SUM}' 0`,
  ],
};

const PAGE = 'http://127.0.0.1:8081/';

/** Four workers, which two clients in the container ask without pause. */
export const nginx: Workload = {
  name: 'nginx under requests',
  image: 'nginx',
  argv: [
    ...['sh', '-c'],
    `nginx -c /srv/nginx.conf -g 'daemon off; worker_processes 4;' &
     until curl -sf ${PAGE} > /tmp/page; do sleep 0.1; done
     ask() { while :; do curl -sf ${PAGE} | cmp -s - /tmp/page && echo >> /tmp/good$1 || echo >> /tmp/bad; done; }
     ask 1 & ask 2`,
  ],
  prepare: [
    'sh',
    '-c',
    `until [ -s /tmp/good1 ] && [ -s /tmp/good2 ]; do sleep 0.1; done; ls /tmp/bad 2>&1; curl -sf ${PAGE}`,
  ],
  check: [
    'sh',
    '-c',
    `rm /tmp/good?; until [ -s /tmp/good1 ] && [ -s /tmp/good2 ]; do sleep 0.1; done; ls /tmp/bad 2>&1; curl -sf ${PAGE}`,
  ],
};

const NODE = `
const { createHash } = require('node:crypto'), fs = require('node:fs');
const { Worker } = require('node:worker_threads');
const memory = Buffer.alloc(16 << 20);
for (let at = 0, block = Buffer.alloc(32); at < memory.length; at += 32) {
  block = createHash('sha256').update(block).digest();
  block.copy(memory, at);
}
const sessions = new Map(Array.from({ length: 1000 }, (_, i) => ['user' + i, { basket: [i, i * 2] }]));
const worker = new Worker("const { parentPort } = require('node:worker_threads'); parentPort.on('message', (m) => parentPort.postMessage(m + m))", { eval: true });
let ticks = 0;
setInterval(() => ticks++, 20);
fs.rmSync('/etc/issue');
fs.writeFileSync('/etc/motd', 'changed');
fs.writeFileSync('/log', 'begun');
const log = fs.createReadStream('/log');
const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
require('node:http').createServer(async (_, response) => {
  const before = ticks;
  await new Promise((resolve) => setTimeout(resolve, 100));
  const worked = new Promise((resolve) => worker.once('message', resolve));
  worker.postMessage('a word');
  const files = ['/etc/motd', '/log'].map((path) => fs.readFileSync(path, 'utf8'));
  response.end(JSON.stringify({ memory: hash(memory), sessions: hash(JSON.stringify([...sessions])), ticks: ticks > before, worked: await worked, files, issue: fs.existsSync('/etc/issue') }));
}).listen(8080, '127.0.0.1');
`;
const ASK_NODE = [
  ...['node', '-e'],
  "const ask = () => fetch('http://127.0.0.1:8080/').then((r) => r.text()).then(console.log, () => setTimeout(ask, 100)); ask()",
];

/** A server with sessions, timers and a worker thread. It changes a file of the image and deletes another. */
export const nodejs: Workload = {
  name: 'Node.js',
  image: 'nodejs:v1',
  argv: ['-e', NODE],
  prepare: ASK_NODE,
  check: ASK_NODE,
};

const DATA = '/var/lib/postgresql/shop';
const ORDERS = 'select count(*), md5(string_agg(id || note, chr(44) order by id)) from orders';

/** What the open session sees, with its prepared query on its temporary table; what all others see; and files. */
const DATABASE = `
  rm -f /tmp/answer
  echo '\\o /tmp/answer.new
    execute basket(100); ${ORDERS};
    \\o
    \\! mv /tmp/answer.new /tmp/answer' > /tmp/asked
  until [ -e /tmp/answer ]; do sleep 0.1; done
  cat /tmp/answer
  psql -qAth /tmp -c '${ORDERS}' -c 'select count(*), md5(string_agg(what, chr(44) order by n)) from bought' postgres
  cksum ${DATA}/pg_hba.conf; ls ${DATA}`;

/** A database, written to before, and a client of it in the middle of a transaction. */
export const postgres: Workload = {
  name: 'postgres',
  image: 'postgres',
  argv: [
    ...['sh', '-c'],
    `postgres -D ${DATA} &
     until pg_isready -qh /tmp; do sleep 0.1; done
     mkfifo /tmp/asked; sleep infinity > /tmp/asked & psql -qAth /tmp postgres < /tmp/asked`,
  ],
  prepare: [
    ...['sh', '-c'],
    `until [ -p /tmp/asked ]; do sleep 0.1; done
     psql -qh /tmp -c 'create table bought as select n, md5((n * 7)::text) as what from generate_series(1, 20000) n' \
       -c 'update orders set note = md5(note) where id % 10 = 0' -c 'delete from orders where id % 10 = 1' postgres
     echo 'begin; insert into orders values (20001, md5(20001::text));
       create temp table basket as select n, md5(n::text) as what from generate_series(1, 500) n;
       prepare basket(int) as select md5(string_agg(what, chr(44) order by n)) from basket where n > $1;' > /tmp/asked
     echo '# changed' >> ${DATA}/pg_hba.conf; rm ${DATA}/pg_ident.conf
     ${DATABASE}`,
  ],
  check: ['sh', '-c', DATABASE],
  hasUsers: true,
};
