/**
 * A long cable: two taps, one in each of two network namespaces, and every packet held for a while in between. It is
 * for kernels without netem.
 *
 *   node delay-line.ts NETNS-FILE INTERFACE NETNS-FILE INTERFACE DELAY-US RATE-BITS
 *
 * One thread that waits in ppoll(2): packets are few, because segmentation-offload packets of up to 64 KiB pass whole.
 */
import { constants, openSync } from 'node:fs';
import koffi from 'koffi';
import { DelayQueue, maxPacketBytes } from './delay-queue.ts';

const libc = koffi.load(null);
const setns = libc.func('int setns(int fd, int type)');
const ioctl = libc.func('int ioctl(int fd, unsigned long request, void *argument)');
const ioctlNumber = libc.func('ioctl', 'int', ['int', 'unsigned long', 'unsigned long']);
const ppoll = libc.func('int ppoll(void *fds, unsigned long count, void *timeout, void *mask)');
const read = libc.func('long read(int fd, void *buffer, unsigned long count)');
const write = libc.func('long write(int fd, void *buffer, unsigned long count)');

// linux/sched.h, linux/if_tun.h
const CLONE_NEWNET = 0x40000000;
const TUNSETIFF = 0x400454ca;
const TUNSETOFFLOAD = 0x400454d0;
const IFF_TAP = 0x2;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const TUN_F_CSUM_TSO4_TSO6 = 0x7;
const POLLIN = 1;

const packetsAtATime = 64;

/** Opens a tap in a network namespace; what is said about checksums and segments travels in front of each packet. */
function openTap(netnsFile: string, name: string): number {
  if (setns(openSync(netnsFile, 'r'), CLONE_NEWNET) !== 0) throw new Error(`cannot enter ${netnsFile}`);
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK);
  const request = Buffer.alloc(40); // struct ifreq
  request.write(name, 'latin1');
  request.writeUInt16LE(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR, 16);
  if (ioctl(fd, TUNSETIFF, request) !== 0) throw new Error(`cannot make tap ${name}`);
  if (ioctlNumber(fd, TUNSETOFFLOAD, TUN_F_CSUM_TSO4_TSO6) !== 0)
    throw new Error(`tap ${name} takes no offloads`);
  return fd;
}

interface Direction {
  from: number;
  to: number;
  queue: DelayQueue;
}

/** Takes what has arrived; when the queue is full the rest waits in the tap, which drops what it cannot hold. */
function receive({ from, queue }: Direction, delayMs: number): void {
  for (let packet = 0; packet < packetsAtATime; packet += 1) {
    const start = queue.reserve();
    if (start === undefined) return;
    const length = read(from, queue.bytes.subarray(start), maxPacketBytes);
    if (length <= 0) return;
    queue.commit(length, performance.now() + delayMs);
  }
}

/** Sends what is due. A tap that takes no packet now (its end is down) loses it, as a cable would. */
function send({ to, queue }: Direction): void {
  while (queue.dueMs <= performance.now()) {
    const packet = queue.take();
    write(to, packet, packet.length);
  }
}

/** Waits until a packet arrives or is due. */
function wait(directions: Direction[], polled: Buffer, timeout: Buffer): void {
  directions.forEach(({ from, queue }, index) => {
    // A negative descriptor is not polled: nothing is read while there is no room.
    polled.writeInt32LE(queue.reserve() === undefined ? -1 : from, index * 8);
    polled.writeUInt32LE(POLLIN, index * 8 + 4);
  });
  const due = Math.min(...directions.map(({ queue }) => queue.dueMs));
  if (due === Number.POSITIVE_INFINITY) {
    ppoll(polled, directions.length, null, null);
    return;
  }
  const waitUs = Math.max(0, Math.ceil((due - performance.now()) * 1000));
  timeout.writeBigInt64LE(BigInt(Math.floor(waitUs / 1e6)), 0);
  timeout.writeBigInt64LE(BigInt((waitUs % 1e6) * 1000), 8);
  ppoll(polled, directions.length, timeout, null);
}

function main([nearNetns, near, farNetns, far, delayUs, rateBits]: string[]): never {
  const delayMs = Number(delayUs) / 1000;
  const ends = [openTap(nearNetns!, near!), openTap(farNetns!, far!)] as const;
  // Room for twice what the link can have under way.
  const capacityBytes = (2 * delayMs * Number(rateBits)) / 8000 + 1024 * 1024;
  const directions: Direction[] = [
    { from: ends[0], to: ends[1], queue: new DelayQueue(capacityBytes) },
    { from: ends[1], to: ends[0], queue: new DelayQueue(capacityBytes) },
  ];
  const polled = Buffer.alloc(8 * directions.length);
  const timeout = Buffer.alloc(16);
  for (;;) {
    wait(directions, polled, timeout);
    for (const direction of directions) receive(direction, delayMs);
    for (const direction of directions) send(direction);
  }
}

main(process.argv.slice(2));
