/**
 * What `forage` understands. Only words are here and in program/: a command's code is imported when it is run, so that help and
 * the small commands start quickly. Exit status: 0 done, 1 failed, 2 wrong usage or configuration.
 */
import { Command, CommanderError } from 'commander';
import { explain } from './errors.ts';
import { addCheckpoints } from './program/checkpoints.ts';
import { addCluster } from './program/cluster.ts';
import { type Exit, version } from './program/common.ts';
import { addMachine, addNode } from './program/machine.ts';
import { addSeeing } from './program/seeing.ts';
import { addSteering } from './program/steering.ts';

/** Runs one command line (without the program's name). Answers the exit status; errors have been printed. */
export async function run(argv: readonly string[]): Promise<number> {
  try {
    let status = 0;
    await program((code) => {
      status = code;
    }).parseAsync(argv, { from: 'user' });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { status, lines } = explain(error);
    for (const line of lines) process.stderr.write(`forage: ${line}\n`);
    return status;
  }
}

function program(exit: Exit): Command {
  const forage = new Command('forage')
    .description("Containers start from their neighbours' blocks.")
    .version(version(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(forage --help lists the commands; forage COMMAND --help explains one)')
    .configureHelp({ helpWidth: 100, showGlobalOptions: false });
  addNode(forage);
  addSeeing(forage);
  addSteering(forage, exit);
  addCheckpoints(forage);
  addMachine(forage, exit);
  addCluster(forage);
  return forage;
}
