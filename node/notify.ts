/**
 * Tells systemd how the service is, as sd_notify(3) does: datagrams to the socket named in NOTIFY_SOCKET. Node has no unix
 * datagrams, hence libc.
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const sendto = libc.func(
  'intptr_t sendto(int fd, const uint8_t *data, size_t length, int flags, const uint8_t *address, uint32_t size)',
);

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;

/** Sends assignments such as `READY=1`. Does nothing where no service manager listens. Throws when it cannot be told. */
export function notify(assignments: string, environment = process.env): void {
  const path = environment.NOTIFY_SOCKET;
  if (path === undefined || path === '') return;
  const fd: number = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd === -1) throw new Error(`no socket for ${path}: errno ${koffi.errno()}`);
  try {
    const data = Buffer.from(assignments);
    const address = socketAddress(path);
    const sent: number = sendto(fd, data, data.length, MSG_NOSIGNAL, address, address.length);
    if (sent === -1) throw new Error(`systemd cannot be told at ${path}: errno ${koffi.errno()}`);
  } finally {
    closeSync(fd);
  }
}

/** Says "still alive" twice in each period of the unit's WatchdogSec. Answers how to stop. */
export function feedWatchdog(environment = process.env): () => void {
  const periodMs = Number(environment.WATCHDOG_USEC ?? 0) / 1000;
  if (!(periodMs > 0)) return () => {};
  const timer = setInterval(() => notify('WATCHDOG=1', environment), periodMs / 2);
  timer.unref();
  return () => clearInterval(timer);
}

/** struct sockaddr_un; a leading @ stands for the abstract name space. */
function socketAddress(path: string): Buffer {
  const name = Buffer.from(path);
  const abstract = path.startsWith('@');
  if (abstract) name[0] = 0;
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat(abstract ? [family, name] : [family, name, Buffer.alloc(1)]);
}
