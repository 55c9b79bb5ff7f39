/**
 * A node's whole identity in one line of text, to carry it to the node: base64url of a small JSON object. It holds the private
 * key, so no error made here quotes anything of it.
 */
import { IdentityError } from './identity.ts';

const VERSION = 1;
/** Of one file in it. A certificate has some 800 bytes. */
const MAX_FILE_BYTES = 16 << 10;
/** Three files, in JSON, in base64. */
export const MAX_TOKEN_BYTES = 80 << 10;
const FILES = ['ca', 'cert', 'key'] as const;
const BASE64URL = /^[\w-]+$/;
const PEM = /^[\x20-\x7e\r\n]+$/;

/** PEM texts. */
export type TokenFiles = Record<(typeof FILES)[number], string>;

/** Throws IdentityError for files that no node could read from the token again. */
export function encodeToken({ ca, cert, key }: TokenFiles): string {
  const token = Buffer.from(JSON.stringify({ version: VERSION, ca, cert, key })).toString('base64url');
  decodeToken(token);
  return token;
}

/** Checks the form only: what the files say is for `checkIdentity`. Blanks around it are left out. Throws IdentityError. */
export function decodeToken(text: string): TokenFiles {
  const token = text.trim();
  if (token.length > MAX_TOKEN_BYTES) throw new IdentityError(`a token has at most ${MAX_TOKEN_BYTES} bytes`);
  const fields = BASE64URL.test(token) ? fieldsOf(Buffer.from(token, 'base64url')) : undefined;
  if (fields === undefined || !('version' in fields))
    throw new IdentityError(
      'this is no token: one line, as `forage cluster issue --token` prints it, is expected',
    );
  if (fields.version !== VERSION)
    throw new IdentityError(
      'the token was made by another version of forage; issue it with the one that is here',
    );
  const [ca, cert, key] = FILES.map((name) => pem(fields[name], name));
  return { ca: ca!, cert: cert!, key: key! };
}

function fieldsOf(json: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function pem(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= MAX_FILE_BYTES && PEM.test(value)) return value;
  throw new IdentityError(`the token is damaged: its ${name} is none`);
}

/** Whether somebody has given a token where the name of a file belongs. */
export function looksLikeToken(text: string): boolean {
  return /^eyJ[\w-]{125,}$/.test(text);
}
