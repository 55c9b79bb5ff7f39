/** Removing folders that something may still be mounted in, left by a program that was killed: never delete through a mount. */
import { readFileSync, rmSync } from 'node:fs';
import { run } from './run.ts';

/** Mount points at or below a folder, the innermost first. */
function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))),
    )
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .reverse();
}

/** Removes a folder with all that is in it, but nothing that is mounted there. Nothing happens if it is not there. */
export async function removeFolder(folder: string): Promise<void> {
  for (const point of mountsBelow(folder)) await run('umount', ['--lazy', point]);
  rmSync(folder, { recursive: true, force: true });
}
