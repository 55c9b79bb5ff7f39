/** The guard's process (guard.ts), started by restore.ts only: its job is its argument, its parent is at the other end of the IPC channel. */
import { type FromGuard, type GuardJob, guard, type ToGuard } from './guard.ts';

const job = JSON.parse(process.argv[2]!) as GuardJob;
const outcome = new Promise<'restored' | 'failed'>((resolve) => {
  process.once('message', (message: ToGuard) => resolve('restored' in message ? 'restored' : 'failed'));
  process.once('disconnect', () => resolve('failed'));
});
/** A parent that is gone hears nothing, which `outcome` tells. */
const say = (message: FromGuard) => {
  if (process.connected) process.send?.(message, () => {});
};
try {
  await guard(job, { say, outcome });
} catch (error) {
  say({ error: (error as Error).message });
} finally {
  if (process.connected) process.disconnect();
}
