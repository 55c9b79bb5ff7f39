/**
 * The cluster's certificate authority: `forage cluster init` and `forage cluster issue`.
 *
 * Ed25519 throughout. The authority's key is used by `issue` only and never leaves its folder; a node needs its own
 * certificate and key and the authority's certificate. Files are never overwritten: a lost race or a second `init` is an
 * error. Loaded by those two commands only, because the X.509 library costs memory.
 */
import './reflect-metadata.ts';
import { randomBytes, webcrypto } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { IdentityError, type IdentityFiles } from './identity.ts';
import { AUTHORITY_ROLE, isNodeName, NODE_ROLE } from './names.ts';

const ED25519 = 'Ed25519';
const DAY_MS = 24 * 60 * 60 * 1000;
/** Certificates are valid from a little before now, for nodes whose clock is behind. */
const CLOCK_SKEW_MS = DAY_MS;

export interface AuthorityFiles {
  cert: string;
  key: string;
}

export function authorityFiles(dir: string): AuthorityFiles {
  return { cert: join(dir, 'ca.crt'), key: join(dir, 'ca.key') };
}

export interface InitOptions {
  /** Shown in certificates; no meaning of its own. Default `forage`. */
  clusterName?: string;
  /** How long the authority is valid. Default 3650 days. */
  days?: number;
}

/** Makes a new cluster's authority in `dir`. Throws `IdentityError` when there is one. */
export async function initCluster(dir: string, options: InitOptions = {}): Promise<AuthorityFiles> {
  const { clusterName = 'forage', days = 3650 } = options;
  checkName(clusterName, "a cluster's name");
  checkDays(days);
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    ...validity(days),
    signingAlgorithm: ED25519,
    name: [{ OU: [AUTHORITY_ROLE] }, { CN: [clusterName] }],
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const files = authorityFiles(dir);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await writeNew(files.key, await privateKeyPem(keys), 0o600);
  await writeNew(files.cert, cert.toString('pem'), 0o644);
  return files;
}

export interface IssueOptions {
  /** IP addresses or host names of the node, for whoever looks at the certificate. Nodes know each other by name. */
  addresses?: readonly string[];
  /** How long the certificate is valid. Default 730 days, never beyond the authority. */
  days?: number;
  /** Where the files go. Default `<dir>/<name>`. */
  out?: string;
}

/** Issues a node's certificate and key with the authority in `dir`; answers the three files that the node needs. */
export async function issueNode(
  dir: string,
  name: string,
  options: IssueOptions = {},
): Promise<IdentityFiles> {
  const { addresses = [], days = 730, out = join(dir, name) } = options;
  checkName(name, "a node's name");
  checkDays(days);
  const authority = await openAuthority(dir);
  const { cert, key } = await certify(authority, { role: NODE_ROLE, name, addresses, ...validity(days) });
  const files = { cert: join(out, 'node.crt'), key: join(out, 'node.key'), ca: join(out, 'ca.crt') };
  await mkdir(out, { recursive: true, mode: 0o700 });
  await writeNew(files.key, key, 0o600);
  await writeNew(files.cert, cert, 0o644);
  await writeNew(files.ca, authority.cert.toString('pem'), 0o644);
  return files;
}

export interface Authority {
  cert: x509.X509Certificate;
  key: webcrypto.CryptoKey;
}

export interface Claims {
  role: string;
  name: string;
  addresses: readonly string[];
  notBefore: Date;
  notAfter: Date;
}

/** A certificate of the authority for a new key, both as PEM. Says what it is told to: the caller has checked it. */
export async function certify(authority: Authority, claims: Claims): Promise<{ cert: string; key: string }> {
  const keys = await newKeys();
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    notBefore: claims.notBefore,
    notAfter: new Date(Math.min(claims.notAfter.getTime(), authority.cert.notAfter.getTime())),
    signingAlgorithm: ED25519,
    subject: [{ OU: [claims.role] }, { CN: [claims.name] }],
    issuer: authority.cert.subjectName,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(alternativeNames(claims.name, claims.addresses)),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(authority.cert.publicKey),
    ],
  });
  return { cert: cert.toString('pem'), key: await privateKeyPem(keys) };
}

/** Throws IdentityError. */
export async function openAuthority(dir: string): Promise<Authority> {
  const files = authorityFiles(dir);
  const [certPem, keyPem] = await Promise.all([readAuthority(files.cert), readAuthority(files.key)]);
  try {
    const cert = new x509.X509Certificate(certPem);
    const [der] = x509.PemConverter.decode(keyPem);
    const key = await webcrypto.subtle.importKey('pkcs8', der!, ED25519, false, ['sign']);
    if (cert.notAfter < new Date())
      throw new IdentityError(`${files.cert}: expired on ${cert.notAfter.toISOString()}`);
    return { cert, key };
  } catch (error) {
    if (error instanceof IdentityError) throw error;
    throw new IdentityError(`${dir}: ca.crt and ca.key are no authority's: ${(error as Error).message}`);
  }
}

async function readAuthority(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new IdentityError(
      code === 'ENOENT'
        ? `${file}: not found; \`forage cluster init\` makes a cluster's authority`
        : `${file}: cannot be read: ${code}`,
    );
  }
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ED25519, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

async function privateKeyPem(keys: webcrypto.CryptoKeyPair): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
}

/** Positive and unpredictable. */
function serialNumber(): string {
  const serial = randomBytes(16);
  serial[0]! = (serial[0]! & 0x7f) | 0x40;
  return serial.toString('hex');
}

function validity(days: number): { notBefore: Date; notAfter: Date } {
  const now = Date.now();
  return { notBefore: new Date(now - CLOCK_SKEW_MS), notAfter: new Date(now + days * DAY_MS) };
}

function alternativeNames(name: string, addresses: readonly string[]): x509.JsonGeneralNames {
  const isHostName = (address: string) => /^[a-z0-9][a-z0-9.-]{0,252}$/i.test(address);
  return [name, ...addresses].map((value) => {
    if (isIP(value)) return { type: 'ip' as const, value };
    if (!isHostName(value)) throw new IdentityError(`${value}: is neither an IP address nor a host name`);
    return { type: 'dns' as const, value };
  });
}

function checkName(name: string, what: string): void {
  if (isNodeName(name)) return;
  throw new IdentityError(
    `${JSON.stringify(name)}: ${what} is 1 to 63 lower-case letters, digits, dots and dashes, with a letter or digit at each end`,
  );
}

function checkDays(days: number): void {
  if (Number.isInteger(days) && days >= 1 && days <= 36500) return;
  throw new IdentityError(`${days}: days must be a whole number from 1 to 36500`);
}

/** Writes a file that must not be there yet, durably. */
async function writeNew(file: string, text: string, mode: number): Promise<void> {
  try {
    const handle = await open(file, 'wx', mode);
    try {
      await handle.writeFile(text.endsWith('\n') ? text : `${text}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new IdentityError(`${file}: is there already and is not overwritten`);
  }
}
