/**
 * The identity that a machine joins with: read from a token or from the folder that `forage cluster issue` made, checked as the
 * node will check it, and only then installed. A token never comes from the command line, which everybody on a machine can read.
 */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  checkIdentity,
  type Identity,
  type IdentityFiles,
  loadIdentity,
} from '../../peers/identity/identity.ts';
import { decodeToken, looksLikeToken, MAX_TOKEN_BYTES } from '../../peers/identity/token.ts';
import { Failure, UsageError } from '../errors.ts';
import { replaceFile } from './replace-file.ts';

const STANDARD_INPUT = '-';

/** Throws IdentityError for what no node could use, UsageError, and what reading a file throws. */
export async function readIdentity(
  source: { token?: string | undefined; from?: string | undefined },
  stdin: Readable,
): Promise<Identity> {
  const { token, from } = source;
  if ((token === undefined) === (from === undefined))
    throw new UsageError('give either --token FILE (- is standard input) or --from DIR; see --help');
  if (from !== undefined)
    return loadIdentity({
      cert: join(from, 'node.crt'),
      key: join(from, 'node.key'),
      ca: join(from, 'ca.crt'),
    });
  if (looksLikeToken(token!))
    throw new UsageError(
      'a token is a secret, and command lines are read by everybody: put it into a file, or use --token - and standard input',
    );
  const { cert, key, ca } = decodeToken(
    await firstLine(token === STANDARD_INPUT ? stdin : createReadStream(token!)),
  );
  const pem = { cert: Buffer.from(cert), key: Buffer.from(key), ca: Buffer.from(ca) };
  return checkIdentity(pem, { cert: "the token's cert", key: "the token's key", ca: "the token's ca" });
}

/** Up to the end of the first line that is not empty: at a terminal nobody has to end the input. */
async function firstLine(input: Readable): Promise<string> {
  let text = '';
  // Leaving the loop closes the input.
  for await (const chunk of input) {
    text = (text + String(chunk)).trimStart();
    if (text.includes('\n') || text.length > MAX_TOKEN_BYTES) break;
  }
  return text;
}

/**
 * Writes what is not there yet: key, certificate, authority. Throws Failure before anything is written when a file is there that
 * says something else, unless it is forced. A crash in between leaves files that do not fit; the same command mends that.
 */
export async function installIdentity(
  identity: Identity,
  files: IdentityFiles,
  force: boolean,
): Promise<void> {
  const wanted: [file: string, pem: Buffer, mode: number][] = [
    [files.key, identity.key, 0o600],
    [files.cert, identity.cert, 0o644],
    [files.ca, identity.ca, 0o644],
  ];
  const there = await Promise.all(wanted.map(([file]) => readIfThere(file)));
  const isSame = (i: number) => there[i]?.trim() === wanted[i]![1].toString('latin1').trim();
  const other = wanted.findIndex((_, i) => there[i] !== undefined && !isSame(i));
  if (other >= 0 && !force)
    throw new Failure(
      `${wanted[other]![0]}: is there already and is another one; --force replaces this machine's identity with that of ${identity.name}`,
    );
  for (const [i, [file, pem, mode]] of wanted.entries())
    if (!isSame(i)) await replaceFile(file, pem.toString('latin1'), mode, { strict: true });
  await loadIdentity(files);
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
