/** forage-runc's checkpoint and restore: ends as runc would. Whatever cannot be understood, runc itself is to answer. */
import { type Arguments, parseArguments, UnknownArgumentsError } from './arguments.ts';
import { runc, tell } from './runc.ts';
import type { Waiting } from './waiting.ts';

const argv = process.argv.slice(2);
const fd = process.env.FORAGE_STATUS_FD;
delete process.env.FORAGE_STATUS_FD;
const waiting = fd === undefined ? undefined : (await import('./waiting.ts')).waitingAt(Number(fd));
let args: Arguments | undefined;
let status: number;
try {
  args = parseArguments(argv);
  status = await run(args, waiting);
} catch (error) {
  if (error instanceof UnknownArgumentsError) status = await runc(argv);
  else {
    tell(args, 'error', `forage: ${(error as Error).message}`);
    status = 1;
  }
}
waiting?.ended(status);
process.exitCode = status;

async function run(args: Arguments, waiting: Waiting | undefined): Promise<number> {
  if (args.verb === 'checkpoint' || !waiting) return (await import('./checkpoint.ts')).checkpoint(args);
  return (await import('./restore.ts')).restore(args, waiting);
}
