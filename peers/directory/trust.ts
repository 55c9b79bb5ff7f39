/**
 * Which record of a layer may be believed. Pure, and the same answer on every node that holds the same records.
 *
 * A claim is a root with the format and the parent that go with it. Claims on one chainID are settled by, in this order:
 *   1. how many different nodes have *ingested* it: derived it from the layer's own tar (`walked` and `copied` prove nothing);
 *   2. the lower root, then the lower format and parent, as text.
 * What nodes have only copied is a claim as long as one that made it says so too: who believed a node that is revoked now is no
 * reason to believe it. `signed` believes the first claim: some member has made it and signed. `quorum:K` believes it if K different nodes have ingested it.
 * Nodes are told apart by the names in their certificates, so one with two keys counts once.
 */
import type { LayerRecord } from '../../blocks/types.ts';
import type { Held } from './types.ts';

export type TrustPolicy = { kind: 'signed' } | { kind: 'quorum'; nodes: number };

export type Verdict =
  /** `record` says it best: of those that made the claim, one that ingested where there is one. */
  | { believed: true; record: Held<'layer'>; ingestedBy: number }
  /** Nobody says anything of the layer. */
  | { believed: false; why: 'absent' }
  /** Not enough nodes have ingested the same. */
  | { believed: false; why: 'quorum'; ingestedBy: number; needed: number };

export const MAX_QUORUM = 1000;

/** `signed` or `quorum:K`. Throws RangeError for anything else. */
export function parseTrust(text: string): TrustPolicy {
  if (text === 'signed') return { kind: 'signed' };
  const nodes = Number(/^quorum:([1-9]\d{0,3})$/.exec(text)?.[1]);
  if (nodes >= 1 && nodes <= MAX_QUORUM) return { kind: 'quorum', nodes };
  throw new RangeError(
    `trust is signed or quorum:K with K from 1 to ${MAX_QUORUM}, not ${JSON.stringify(text)}`,
  );
}

/** `records`: all that count, of one chainID. */
export function settle(records: readonly Held<'layer'>[], policy: TrustPolicy): Verdict {
  const claims = Map.groupBy(records, ({ content }) => claimOf(content));
  const [best] = [...claims]
    .filter(([, made]) => made.some(({ content }) => content.origin !== 'copied'))
    .map(([claim, made]) => ({ claim, made, ingestedBy: ingesters(made) }))
    .sort((a, b) => b.ingestedBy - a.ingestedBy || (a.claim < b.claim ? -1 : 1));
  if (!best) return { believed: false, why: 'absent' };
  const { made, ingestedBy } = best;
  if (policy.kind === 'quorum' && ingestedBy < policy.nodes)
    return { believed: false, why: 'quorum', ingestedBy, needed: policy.nodes };
  return { believed: true, record: made.toSorted(byWeight)[0]!, ingestedBy };
}

function claimOf({ root, format, parent }: LayerRecord): string {
  return `${root} ${format} ${parent}`;
}

function ingesters(records: readonly Held<'layer'>[]): number {
  return new Set(records.filter(({ content }) => content.origin === 'ingested').map(({ node }) => node)).size;
}

const ORIGINS = ['ingested', 'walked', 'copied'] as const;

function byWeight(a: Held<'layer'>, b: Held<'layer'>): number {
  const weight = ({ content }: Held<'layer'>) =>
    2 * ORIGINS.indexOf(content.origin) + (content.diffId === '' ? 1 : 0);
  return weight(a) - weight(b) || a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1);
}
