/** Custody on this node: what it owns it fetches and keeps, and what it drops others have promised to keep. */
import type { BlockId, BlockStore, VolumeStore } from '../blocks/types.ts';
import { realClock } from '../peers/clock.ts';
import type { Directory } from '../peers/directory/directory.ts';
import { isOver } from '../peers/membership/roster.ts';
import type { Discovery } from '../peers/membership/types.ts';
import type { RunningNeighbours } from '../peers/neighbours.ts';
import { Custodian } from '../peers/placement/custodian.ts';
import type { Limits } from '../peers/placement/custody.ts';
import { Catalogue } from '../peers/placement/known-volumes.ts';
import { type Member, Owners } from '../peers/placement/owners.ts';
import type { PinStore } from '../peers/placement/pin-store.ts';
import type { Holdings } from '../peers/placement/types.ts';
import type { Log } from '../peers/types.ts';
import type { Gate } from './gate.ts';

export interface CustodyParts {
  self: Member;
  replicas: number;
  discovery: Pick<Discovery, 'members'>;
  directory: Directory;
  neighbours: Pick<RunningNeighbours, 'fetchIndex' | 'pin' | 'repair'>;
  blocks: BlockStore;
  volumes: VolumeStore;
  pins: PinStore;
  holdings: Holdings;
  /** Asked at each look. */
  limits: () => Limits;
  gate: Gate;
  log: Log;
}

export interface Custody {
  custodian: Custodian;
  catalogue: Catalogue;
  /** As this node sees the members now. */
  owners(): Owners;
  /** Members have come or gone, or have other capacities; this node among them. */
  membersChanged(): void;
  stop(): void;
}

/** Resolves once all that is here has been looked at; only then it gives pins and drops blocks. */
export async function startCustody(parts: CustodyParts): Promise<Custody> {
  const { self, replicas, discovery, directory, neighbours, blocks, volumes, gate, limits, log } = parts;
  let owners = Owners.of(owning(self, discovery), replicas);
  const catalogue = new Catalogue({
    directory,
    volumes: { has: (root) => volumes.has(root), blocks: (root) => volumes.get(root) },
    fetchIndex: async (root) => void (await neighbours.fetchIndex(root)),
    clock: realClock,
    log,
    onChange: (isAwaited) => custodian.changed(isAwaited),
  });
  const custodian = new Custodian({
    self: self.name,
    clock: realClock,
    blocks: {
      has: (id) => blocks.has(id),
      sync: () => blocks.sync(),
      // A block that is found here while a volume is being made must still be there when the volume is published.
      remove: (id) => gate.exclusive(() => removeUnused(id)),
    },
    pins: parts.pins,
    owners: () => owners,
    volumes: catalogue,
    holdings: parts.holdings,
    others: {
      ask: (owner, request) => neighbours.pin(owner, request),
      fetch: (id, root, signal) => neighbours.repair(id, root, signal),
    },
    limits,
    log,
  });

  async function removeUnused(id: BlockId): Promise<void> {
    if (!parts.holdings.isInUse(id)) await blocks.remove(id);
  }

  await catalogue.start();
  await custodian.start();
  return {
    custodian,
    catalogue,
    owners: () => owners,
    membersChanged() {
      const next = owners.next(owning(self, discovery));
      if (next === owners) return;
      owners = next;
      custodian.membersChanged();
    },
    stop() {
      catalogue.stop();
      custodian.stop();
    },
  };
}

/** Suspects keep what they own until they are gone. Whoever gives everything away announces no capacity, and owns nothing. */
function owning(self: Member, discovery: Pick<Discovery, 'members'>): Member[] {
  const there = discovery.members().filter(({ state }) => !isOver(state));
  return [self, ...there].filter(({ capacityBytes }) => capacityBytes > 0);
}
