/** The file that stands for a dump in the folder that the tools above runc carry around. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Reference, referenceSchema } from './protocol.ts';

export const REFERENCE_FILE = 'forage-checkpoint.json';
const MAX_BYTES = 4096;

/** The folder was made by forage, and its reference cannot be used. */
export class BadReferenceError extends Error {
  constructor(why: string) {
    super(`${REFERENCE_FILE} is not a reference to a checkpoint: ${why}`);
    this.name = 'BadReferenceError';
  }
}

export function encodeReference(reference: Reference): string {
  return `${JSON.stringify(reference)}\n`;
}

/** Throws BadReferenceError. */
export function decodeReference(text: string): Reference {
  if (text.length > MAX_BYTES) throw new BadReferenceError('it is too long');
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch {
    throw new BadReferenceError('no JSON');
  }
  const parsed = v.safeParse(referenceSchema, said);
  if (parsed.success) return parsed.output;
  throw new BadReferenceError(v.summarize(parsed.issues).replaceAll('\n', ' '));
}

/** undefined: a folder as runc itself leaves it. */
export async function referenceIn(imagePath: string): Promise<Reference | undefined> {
  try {
    return decodeReference(await readFile(join(imagePath, REFERENCE_FILE), 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
