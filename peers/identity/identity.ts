/**
 * This node's identity: certificate, key and the cluster's authority, read and checked at start, so that a wrong file is
 * one clear line now and no failed handshake later. Needs node:crypto only; making certificates is in authority.ts.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { nodeNameOf, type Subject } from './names.ts';

/** Paths of PEM files. */
export interface IdentityFiles {
  cert: string;
  key: string;
  /** One or more certificates of authorities (two while one replaces the other). */
  ca: string;
}

/** Checked PEM texts. */
export interface Identity {
  /** The certificate's common name. */
  name: string;
  cert: Buffer;
  key: Buffer;
  ca: Buffer;
  expires: Date;
}

/** The identity cannot be used. `message` names the file and says what to do. */
export class IdentityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'IdentityError';
  }
}

const MAX_PEM_BYTES = 1 << 16;
const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Throws `IdentityError`. */
export async function loadIdentity(files: IdentityFiles, now = new Date()): Promise<Identity> {
  const [cert, key, ca] = await Promise.all([readPem(files.cert), readPem(files.key), readPem(files.ca)]);
  const { mode } = await stat(files.key);
  if ((mode & 0o077) !== 0) {
    throw new IdentityError(
      `${files.key}: others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 it`,
    );
  }
  return checkIdentity({ cert, key, ca }, files, now);
}

/** Checks what was read; `files` is only for the errors. Throws `IdentityError`. */
export function checkIdentity(
  pem: { cert: Buffer; key: Buffer; ca: Buffer },
  files: IdentityFiles,
  now = new Date(),
): Identity {
  const cert = parseCertificate(pem.cert.toString('latin1'), files.cert);
  const authorities = parseAuthorities(pem.ca, files.ca);
  const key = parseKey(pem.key, files.key);
  if (!cert.checkPrivateKey(key)) {
    throw new IdentityError(`${files.key}: is not the key of the certificate in ${files.cert}`);
  }
  const issuer = authorities.find((ca) => cert.checkIssued(ca) && cert.verify(ca.publicKey));
  if (!issuer) {
    throw new IdentityError(
      `${files.cert}: was not issued by the authority in ${files.ca}; both must be of one cluster`,
    );
  }
  checkTime(issuer, files.ca, now, 'the cluster needs a new authority');
  checkTime(cert, files.cert, now, 'issue a new one with `forage cluster issue`');
  const name = nodeNameOf(cert.toLegacyObject().subject as Subject);
  if (name === undefined) {
    throw new IdentityError(
      `${files.cert}: is not a node's certificate (${cert.subject.replaceAll('\n', ', ')})`,
    );
  }
  return { name, ...pem, expires: cert.validToDate };
}

async function readPem(file: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new IdentityError(
      code === 'ENOENT'
        ? `${file}: not found; \`forage cluster issue\` makes a node's certificate and key`
        : `${file}: cannot be read: ${code}`,
    );
  }
  if (bytes.length > MAX_PEM_BYTES) throw new IdentityError(`${file}: larger than ${MAX_PEM_BYTES} bytes`);
  return bytes;
}

function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new IdentityError(`${file}: holds no certificate in PEM form`);
  }
}

/** The authorities' certificates of an identity, which has been checked. */
export function authoritiesOf(ca: Buffer): X509Certificate[] {
  return pemCertificates(ca).map((text) => new X509Certificate(text));
}

function pemCertificates(pem: Buffer): string[] {
  return pem.toString('latin1').match(PEM_CERTIFICATE) ?? [];
}

function parseAuthorities(pem: Buffer, file: string): X509Certificate[] {
  const authorities = pemCertificates(pem).map((text) => parseCertificate(text, file));
  if (authorities.length === 0) throw new IdentityError(`${file}: holds no certificate in PEM form`);
  if (!authorities.every((ca) => ca.ca))
    throw new IdentityError(`${file}: a certificate in it is no authority's`);
  return authorities;
}

function parseKey(pem: Buffer, file: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new IdentityError(`${file}: holds no private key in PEM form (an encrypted one cannot be used)`);
  }
}

function checkTime(cert: X509Certificate, file: string, now: Date, remedy: string): void {
  if (now > cert.validToDate) {
    throw new IdentityError(`${file}: expired on ${cert.validToDate.toISOString()}; ${remedy}`);
  }
  if (now < cert.validFromDate) {
    const from = cert.validFromDate.toISOString();
    throw new IdentityError(
      `${file}: is valid from ${from} on, and here it is ${now.toISOString()}; check the clock`,
    );
  }
}
