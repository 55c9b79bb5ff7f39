/** forage-runc's checkpoint and restore: exits as runc would. Whatever cannot be understood, runc itself is to answer. */
import { type Arguments, parseArguments, UnknownArgumentsError } from './arguments.ts';
import { runc, tell } from './runc.ts';

const argv = process.argv.slice(2);
let args: Arguments | undefined;
try {
  args = parseArguments(argv);
  const run =
    args.verb === 'checkpoint'
      ? (await import('./checkpoint.ts')).checkpoint
      : (await import('./restore.ts')).restore;
  process.exitCode = await run(args);
} catch (error) {
  if (error instanceof UnknownArgumentsError) process.exitCode = await runc(argv);
  else {
    tell(args, 'error', `forage: ${(error as Error).message}`);
    process.exitCode = 1;
  }
}
