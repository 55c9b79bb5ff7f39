/**
 * Run before the node process starts: loads its modules once after an installation, so that the node finds them in the
 * compile cache. A process that strips and compiles them itself stays 30 MB larger for as long as it lives.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = process.env.NODE_COMPILE_CACHE;
if (cache !== undefined) {
  const installed = Math.round(statSync(fileURLToPath(import.meta.url)).mtimeMs);
  const marker = join(cache, `prepared-${process.version}-${installed}`);
  if (!existsSync(marker)) {
    await import('../node/main.ts');
    await import('./node.ts');
    // The command itself, which cannot be imported without being run.
    execFileSync(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), '--version']);
    writeFileSync(marker, '');
    process.exit(0);
  }
}
