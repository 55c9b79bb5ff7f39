import { closeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import koffi from 'koffi';
import t, { type Test } from 'tap';
import { feedWatchdog, notify } from './notify.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const uint8_t *address, uint32_t size)');
const recv = libc.func('intptr_t recv(int fd, uint8_t *data, size_t length, int flags)');
const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

/** Listens as systemd does. Answers what takes the datagram that is there. */
function listen(t: Test, name: string): () => string {
  const fd: number = socket(AF_UNIX, SOCK_DGRAM, 0);
  t.teardown(() => closeSync(fd));
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
  if (bind(fd, address, address.length) !== 0) throw new Error(`bind: errno ${koffi.errno()}`);
  return () => {
    const data = Buffer.alloc(4096);
    const length = Number(recv(fd, data, data.length, MSG_DONTWAIT));
    return length < 0 ? '' : data.toString('utf8', 0, length);
  };
}

t.test('systemd is told through a socket in a folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forage-notify-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, 'notify');
  const received = listen(t, path);
  notify('READY=1\nSTATUS=serving', { NOTIFY_SOCKET: path });
  t.equal(received(), 'READY=1\nSTATUS=serving');
});

t.test('systemd is told through an abstract socket, its watchdog again and again', async (t) => {
  const received = listen(t, `\0forage-test-${process.pid}`);
  const stop = feedWatchdog({ NOTIFY_SOCKET: `@forage-test-${process.pid}`, WATCHDOG_USEC: '20000' });
  for (let times = 0; times < 2; ) {
    await sleep(5);
    const text = received();
    if (text === '') continue;
    t.equal(text, 'WATCHDOG=1');
    times++;
  }
  stop();
});

t.test('without systemd nothing is done', async (t) => {
  notify('READY=1', {});
  feedWatchdog({})();
  t.pass();
});

t.test('a manager that is gone is an error', async (t) => {
  t.throws(() => notify('READY=1', { NOTIFY_SOCKET: '/nowhere/notify' }), /cannot be told/);
});
