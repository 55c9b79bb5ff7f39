/** What the configuration adds to runc's arguments. The shim leaves out what this machine's runc does not know. */
import type { Config } from '../config/config.ts';

/** runc sets up the cgroups of a restored container itself; what CRIU saw on another node does not fit here. */
const CGROUPS = '--manage-cgroups-mode=ignore';

export function runcFlags({ tcp, file_locks, unix_sockets }: Config['checkpoint']): string[] {
  return [
    CGROUPS,
    ...(tcp === 'refuse' ? [] : [tcp === 'close' ? '--tcp-close' : '--tcp-established']),
    ...(file_locks ? ['--file-locks'] : []),
    ...(unix_sockets ? ['--ext-unix-sk'] : []),
  ];
}
