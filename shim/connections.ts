/**
 * TCP connections of a container that is being restored. CRIU gives them back the addresses they had, and fails where the new place has others: then
 * all of them are closed. Source: images/{fdinfo,sk-inet}.proto of CRIU 4.2, proc_pid_net(5).
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fields, MAGIC, numberIn, numbersIn, records } from '../blocks/criu-image.ts';

const run = promisify(execFile);

const INET_SOCKET = 4;
const STREAM = 1;
/** TCP_CLOSE and TCP_LISTEN: no connections. */
const NOT_CONNECTED = [7, 10];
/** No process has it any more. */
const TIME_WAIT = 6;

/** Where a container's network is: its machine's, one that somebody has made (the path of a namespace), or one that runc makes. */
export type Network = { of: 'machine' } | { of: 'path'; path: string } | { of: 'runc' };

/** Whether each connection of the dump can have its address there. Of images that cannot be read, CRIU says so itself. */
export async function areKeepable(images: string, network: Network): Promise<boolean> {
  const image = join(images, 'files.img');
  const wanted = existsSync(image) ? localAddresses(image) : new Set<string>();
  if (wanted.size === 0) return true;
  const there = await addressesIn(network);
  return [...wanted].every((address) => isLoopback(address) || there.has(address));
}

/** `process`: a folder in /proc. Whether its network has any connection; what cannot be read might. */
export async function hasConnections(process: string): Promise<boolean> {
  const tables = ['tcp', 'tcp6'].map((name) => readFile(join(process, 'net', name), 'utf8'));
  // A kernel without IPv6 has no second table.
  const texts = await Promise.all([tables[0]!, tables[1]!.catch(() => '')]).catch(() => undefined);
  return texts === undefined || texts.some(tellsOfConnections);
}

/** Without its head, and with the state in the fourth column: proc(5). */
function tellsOfConnections(table: string): boolean {
  const states = table
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => Number.parseInt(line.trim().split(/\s+/)[3] ?? '', 16));
  return states.some((state) => ![...NOT_CONNECTED, TIME_WAIT].includes(state));
}

/** Of the connections in a dump, in lower case, without brackets. */
export function localAddresses(filesImage: string): Set<string> {
  const found = new Set<string>();
  for (const file of records(filesImage, MAGIC.files)) {
    if (numberIn(filesImage, file, 1) !== INET_SOCKET) continue;
    const [socket] = fields(filesImage, file, 4);
    if (!socket || numberIn(filesImage, socket, 4) !== STREAM) continue;
    if (NOT_CONNECTED.includes(numberIn(filesImage, socket, 6) ?? 0)) continue;
    found.add(addressOf(numbersIn(filesImage, socket, 11)));
  }
  return found;
}

/** Words as they lie in memory on a little-endian machine. */
function addressOf(words: readonly number[]): string {
  const bytes = Buffer.alloc(words.length * 4);
  words.forEach((word, i) => {
    bytes.writeUInt32LE(word, i * 4);
  });
  if (words.length === 1) return bytes.join('.');
  const isMapped = bytes.subarray(0, 12).equals(MAPPED);
  return isMapped ? bytes.subarray(12).join('.') : bytes.toString('hex');
}

/** The beginning of an IPv4 address that is written as one of IPv6. */
const MAPPED = Buffer.from('00000000000000000000ffff', 'hex');

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === `${'0'.repeat(31)}1`;
}

async function addressesIn(network: Network): Promise<ReadonlySet<string>> {
  switch (network.of) {
    case 'runc':
      return new Set();
    case 'machine':
      return new Set(
        Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
      );
    case 'path': {
      const inside = [`--net=${network.path}`, 'cat', '/proc/net/fib_trie', '/proc/net/if_inet6'];
      return addressesInTables((await run('nsenter', inside)).stdout);
    }
  }
}

/** Local addresses of both tables, one behind the other. */
export function addressesInTables(text: string): Set<string> {
  const four = text.matchAll(/-- (\S+)\n\s+\/32 host LOCAL/g);
  const six = text.matchAll(/^([0-9a-f]{32}) /gm);
  return new Set([...four, ...six].map(([, address]) => address!));
}
