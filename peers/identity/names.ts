/**
 * What a certificate of a cluster says, in its subject: the common name is the node's name, the organizational unit is
 * the role. A certificate of the cluster's authority without the role `forage-node` is no node.
 */
export const NODE_ROLE = 'forage-node';
export const AUTHORITY_ROLE = 'forage-authority';

const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,61}[a-z0-9])?$/;

/** True for what may be a node's name: 1 to 63 lower-case letters, digits, dots and dashes, no dot or dash at an end. */
export function isNodeName(name: string): boolean {
  return NAME.test(name) && !name.includes('..');
}

/** A subject as node:crypto and node:tls give it; a repeated attribute is an array. */
export interface Subject {
  CN?: string | string[] | undefined;
  OU?: string | string[] | undefined;
}

/** The node's name, or undefined when this is no node's certificate. Who signed it is checked elsewhere (TLS, identity.ts). */
export function nodeNameOf(subject: Subject | undefined): string | undefined {
  if (subject?.OU !== NODE_ROLE || typeof subject.CN !== 'string') return undefined;
  return isNodeName(subject.CN) ? subject.CN : undefined;
}
