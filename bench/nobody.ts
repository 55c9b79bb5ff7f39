/** What a node without a cluster around it says and hears, for benchmarks of one part: an empty directory, nobody revoked. */
import { realClock } from '../peers/clock.ts';
import { Directory } from '../peers/directory/directory.ts';
import { MemoryRecordStore } from '../peers/directory/memory.ts';
import { nodeSigner } from '../peers/directory/sign.ts';
import { Verifier } from '../peers/directory/verify.ts';
import type { Identity } from '../peers/identity/identity.ts';
import type { Log } from '../peers/types.ts';

export const nobody = () => false;

export function emptyDirectory(identity: Identity, log: Log): Promise<Directory> {
  const [verifier, signer] = [new Verifier(identity.ca), nodeSigner(identity)];
  return Directory.open({ store: new MemoryRecordStore(), verifier, signer, clock: realClock, log });
}
