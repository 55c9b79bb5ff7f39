/** What the configuration adds to runc's arguments. The shim leaves out what this machine's runc does not know. */
import type { Config } from '../config/config.ts';

/** runc sets up the cgroups of a restored container itself; what CRIU saw on another node does not fit here. */
const CGROUPS = '--manage-cgroups-mode=ignore';

type Checkpointing = Config['checkpoint'];

/** Connections are dumped even where they are closed later: CRIU refuses to leave out what a process holds. */
export function checkpointFlags(config: Checkpointing): string[] {
  return [...(config.tcp === 'refuse' ? [] : ['--tcp-established']), ...both(config)];
}

export function restoreFlags(config: Checkpointing): string[] {
  const tcp = { established: ['--tcp-established'], close: ['--tcp-close'], refuse: [] }[config.tcp];
  return [...tcp, ...both(config)];
}

function both({ file_locks, unix_sockets }: Checkpointing): string[] {
  return [CGROUPS, ...(file_locks ? ['--file-locks'] : []), ...(unix_sockets ? ['--ext-unix-sk'] : [])];
}
