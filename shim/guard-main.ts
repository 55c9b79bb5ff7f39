/** The guard's process (guard.ts), started by restore.ts only: its job is its argument, its parent is at the other end of the IPC channel. */
import { type GuardJob, guard, type ToGuard } from './guard.ts';

const job = JSON.parse(process.argv[2]!) as GuardJob;
const outcome = new Promise<'restored' | 'failed'>((resolve) => {
  process.once('message', (message: ToGuard) => resolve('restored' in message ? 'restored' : 'failed'));
  process.once('disconnect', () => resolve('failed'));
});
try {
  await guard(job, { say: (message) => process.send?.(message), outcome });
} catch (error) {
  if (process.connected) process.send?.({ error: (error as Error).message });
} finally {
  if (process.connected) process.disconnect();
}
