/**
 * Whom a node waits for when many fetch one volume at once, so that its first holder sends each block about once. Pure.
 *
 * A block has owners, best first. The first asks a holder of the whole volume; each later one asks those before it; all others ask
 * the owners. Who is asked so may not have the block yet: it holds its answer until the block is there. Nobody waits for an
 * owner that comes after it in the list, and an owner never for one that is none, so nobody waits in a circle.
 */

/** A neighbour, as this choice sees it. */
export interface Candidate<S> {
  source: S;
  name: string;
  bytesPerSecond: number | undefined;
  /** It has stood still or let an owner's answer wait too long lately. */
  isSlack: boolean;
  /** Has had the whole volume from the start: it is who is to be spared. */
  isWhole: boolean;
}

/** An owner this much slower than the middle one of all neighbours is passed over. */
const CRAWLING_SHARE = 1 / 8;

/** For one block: the neighbours to wait for; none: whoever has the block is asked. `refused`: not to be had from that one. */
export type Choose<S> = (owners: readonly string[], self: string, refused: (source: S) => boolean) => Set<S>;

/** What does not depend on the block is worked out once, for as long as the candidates stay as they are. */
export function chooserAmong<S>(candidates: readonly Candidate<S>[]): Choose<S> {
  const leastBytesPerSecond = middleRate(candidates) * CRAWLING_SHARE;
  const eligible = candidates.filter(
    ({ isSlack, isWhole, bytesPerSecond }) =>
      !isSlack && !isWhole && (bytesPerSecond ?? leastBytesPerSecond) >= leastBytesPerSecond,
  );
  return (owners, self, refused) => {
    const own = owners.indexOf(self);
    const earlier = own < 0 ? owners : owners.slice(0, own);
    const chosen = eligible.filter(({ source, name }) => earlier.includes(name) && !refused(source));
    return new Set(chosen.map(({ source }) => source));
  };
}

function middleRate(candidates: readonly Candidate<unknown>[]): number {
  const rates = candidates.map(({ bytesPerSecond }) => bytesPerSecond).filter((rate) => rate !== undefined);
  return rates.sort((a, b) => a - b)[rates.length >> 1] ?? 0;
}
