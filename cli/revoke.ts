/**
 * `forage cluster revoke`: signs with the authority that a node's key counts no more, and gives that to the node of this machine,
 * or writes it to a file for another machine's, because the authority's folder belongs on no node.
 */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeBody } from '../peers/directory/body.ts';
import { MAX_BODY_BYTES, MAX_CERTIFICATE_BYTES, SIGNATURE_BYTES } from '../peers/directory/limits.ts';
import { decodeRecord, encodeRecord, recordMessage } from '../peers/directory/service.ts';
import { authoritySigner, revocationOf, signRecord } from '../peers/directory/sign.ts';
import type { Revocation, SignedRecord } from '../peers/directory/types.ts';
import { type Authority, openAuthority } from '../peers/identity/authority.ts';
import { nodeNameOf, type Subject } from '../peers/identity/names.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { ask } from './admin-client.ts';
import { Failure, UsageError } from './errors.ts';
import { print } from './output.ts';
import { settings } from './settings.ts';

/** With what the message has around its fields. */
const MAX_RECORD_BYTES = MAX_BODY_BYTES + MAX_CERTIFICATE_BYTES + SIGNATURE_BYTES + 64;

export interface RevokeOptions {
  config: string;
  dir?: string;
  cert?: string;
  out?: string;
  record?: string;
}

export async function revoke(name: string | undefined, options: RevokeOptions): Promise<void> {
  const { dir, record: file, out } = options;
  if (file !== undefined) {
    if (name !== undefined) throw new UsageError('--record says whose key it is; leave the name out');
    await hand(await readRecord(file), options.config);
    return;
  }
  if (name === undefined || dir === undefined)
    throw new UsageError('give NAME and --dir DIR, or --record FILE; see forage cluster revoke --help');
  const cert = options.cert ?? join(dir, name, 'node.crt');
  const record = await signRevocation(await openAuthority(dir), name, cert);
  if (out === undefined) await hand(record, options.config);
  else {
    await writeFile(out, encodeRecord(record), { flag: 'wx' });
    print(
      `${out}\nNothing is revoked yet. Copy it to any node, and there:\n  forage cluster revoke --record ${out}`,
    );
  }
}

async function signRevocation(authority: Authority, name: string, certFile: string): Promise<SignedRecord> {
  const pem = await readFile(certFile, 'latin1').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Failure(`${certFile}: not found; give the node's certificate with --cert FILE`);
  });
  checkCertificate(pem, name, certFile, authority);
  const signer = authoritySigner(authority);
  return signRecord(signer, {
    kind: 'revocation',
    node: signer.name,
    createdMs: Date.now(),
    content: revocationOf(pem),
  });
}

/** The right key is revoked, or none: a revocation cannot be taken back. */
function checkCertificate(pem: string, name: string, file: string, authority: Authority): void {
  const ca = new X509Certificate(authority.cert.toString('pem'));
  let cert: X509Certificate;
  try {
    cert = new X509Certificate(pem);
  } catch {
    throw new Failure(`${file}: holds no certificate in PEM form`);
  }
  // Before its subject is read, which must not be done with a certificate that may be anybody's.
  if (!cert.checkIssued(ca) || !cert.verify(ca.publicKey))
    throw new Failure(`${file}: was not issued by this authority`);
  const found = nodeNameOf(cert.toLegacyObject().subject as Subject);
  if (found !== name)
    throw new Failure(`${file}: is the certificate of ${found ?? 'no node'}, not of ${name}`);
}

async function readRecord(file: string): Promise<SignedRecord> {
  const bytes = await readFile(file);
  if (bytes.length > MAX_RECORD_BYTES) throw new Failure(`${file}: is larger than a revocation can be`);
  try {
    const record = decodeRecord(bytes);
    revocationIn(record);
    return record;
  } catch {
    throw new Failure(`${file}: is no revocation, as \`forage cluster revoke --out\` writes it`);
  }
}

/** Who signed it, and whether that is the authority, every node looks at for itself. */
async function hand(record: SignedRecord, configFile: string): Promise<void> {
  const { node, key } = revocationIn(record);
  const { run } = await settings(configFile);
  await ask(run, AdminService.revoke, new admin.RevokeRequest().setRecord(recordMessage(record)));
  print(
    `Revoked: ${node}, key ${key}.\nThe other nodes hear of it from this one, and those that are away when they are back.`,
  );
}

/** Throws what only `readRecord` can meet: an error about a body that says something else. */
function revocationIn({ body }: SignedRecord): Revocation {
  const statement = decodeBody(body);
  if (statement.kind !== 'revocation') throw new TypeError(`a ${statement.kind} is no revocation`);
  return statement.content;
}
