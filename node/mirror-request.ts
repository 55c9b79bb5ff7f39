/**
 * What a request to the mirror asks for: paths of OCI's distribution specification, as containerd sends them. The host that the
 * mirror stands for comes as `?ns=`, and is the first part of the image's name. Anybody on this machine may send anything.
 */
import { isDigest } from '../blocks/digest.ts';

export type MirrorRequest =
  /** `/v2/`: is this a registry? */
  | { kind: 'version' }
  /** A manifest or index by tag, under the image's name as containerd has it. */
  | { kind: 'tag'; image: string }
  /** A manifest or index, or any object, by digest. The repository does not matter: the digest says what it is. */
  | { kind: 'manifest' | 'blob'; digest: string }
  /** Something else, or nothing proper. */
  | { kind: 'unknown'; what: string };

export const MAX_URL_CHARACTERS = 1024;
const MAX_NAME_CHARACTERS = 255;

const OBJECT = /^\/v2\/(?<name>[^?]+)\/(?<kind>manifests|blobs)\/(?<reference>[^/?]+)$/;
/** Of the distribution specification. */
const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const HOST = /^(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

export function parseRequest(url: string): MirrorRequest {
  if (url.length > MAX_URL_CHARACTERS) return unknown('a URL that is too long');
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  if (path === '/v2/' || path === '/v2') return { kind: 'version' };
  const { name, kind, reference } = OBJECT.exec(path)?.groups ?? {};
  if (name === undefined || reference === undefined) return unknown('no path of a manifest or blob');
  if (name.length > MAX_NAME_CHARACTERS || !NAME.test(name)) return unknown('no proper name of a repository');
  if (isDigest(reference)) return { kind: kind === 'blobs' ? 'blob' : 'manifest', digest: reference };
  if (kind === 'blobs') return unknown('no sha256 digest');
  const host = new URLSearchParams(at < 0 ? '' : url.slice(at)).get('ns') ?? '';
  if (host.length > MAX_NAME_CHARACTERS || !HOST.test(host)) return unknown('no proper ?ns= of a registry');
  return TAG.test(reference)
    ? { kind: 'tag', image: `${host}/${name}:${reference}` }
    : unknown('no proper tag');
}

function unknown(what: string): MirrorRequest {
  return { kind: 'unknown', what };
}
