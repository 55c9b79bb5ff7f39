/** What CRIU's lazy-pages daemon writes down of page faults at its highest verbosity. */

/** `pid` is the process's in the dump. */
export interface Fault {
  pid: number;
  address: number;
}

const FAULT = /uffd: (\d+)-\d+: #PF at (0x[0-9a-f]+)$/gm;

/** In the order of the log. */
export function faultsIn(log: string): Fault[] {
  return Array.from(log.matchAll(FAULT), ([, pid, address]) => ({
    pid: Number(pid),
    address: Number(address),
  }));
}
