#!/usr/bin/env node
/** The `forage` command. */
import { run } from './program.ts';

// A reader that has seen enough (`forage volumes | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
process.exitCode = await run(process.argv.slice(2));
