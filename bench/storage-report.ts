/** What bench/storage.ts shows of what it has measured: one row a size of the cluster, tables, the lines of the plot, bounds. Pure. */
import { type Bound, table } from './report.ts';
import type { Plain, Rest } from './storage-nodes.ts';
import { type Blocks, sharesOf, sizeOf } from './storage-plan.ts';
import { GREY, type Line } from './storage-plot.ts';

/** Owners are drawn by the nodes' names: so many sets of names show how much of the largest share is chance. */
const NAME_SETS = 40;

export interface Measured extends Rest {
  nodes: number;
  /** Bytes that nodes had from others since the last one joined. */
  movedBytes: number;
  /** What that node owns: at least so much must come to it. */
  joinerBytes: number;
}

export interface Results {
  images: readonly string[];
  replicas: number;
  /** Distinct blocks of all images. */
  blocks: number;
  blockBytes: number;
  plain: Plain;
  /** n1's content store, with the layers' blobs and without. */
  contentBytes: { kept: number; dropped: number };
  /** Blobs that were still there when they should not. */
  blobsLeft: number;
  measured: readonly Measured[];
  rows: readonly Row[];
}

export interface Row {
  nodes: number;
  isComputed: boolean;
  idealBytes: number;
  /** forage's root, node by node; n1 first. */
  forageBytes: readonly number[];
  /** The same by computation: blocks, and what the most burdened real node has besides. */
  computedBytes: readonly number[];
  /** Of computed clusters with other names of nodes: the largest node over the ideal, below which 19 of 20 are. */
  othersLargest: number;
}

export const mb = (bytes: number): number => bytes / 1e6;
const most = (values: readonly number[]): number => Math.max(...values);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** From two nodes on. */
export function rowsOf(
  blocks: Blocks,
  replicas: number,
  measured: readonly Measured[],
  mostNodes: number,
): Row[] {
  const overheadBytes = most(
    measured.at(-1)!.usages.map(({ forageBytes, blockBytes }) => forageBytes - blockBytes),
  );
  const computed = (names: string[]) =>
    sharesOf(blocks, names, replicas).map(({ kept }) => sizeOf(blocks, kept) + overheadBytes);
  return Array.from({ length: mostNodes - 1 }, (_, i): Row => {
    const nodes = i + 2;
    const idealBytes = (replicas * sizeOf(blocks)) / nodes;
    const computedBytes = computed(named(nodes));
    const real = measured.find((one) => one.nodes === nodes)?.usages;
    const others = Array.from({ length: NAME_SETS }, (_, set) => most(computed(named(nodes, `set-${set}-`))));
    return {
      nodes,
      isComputed: real === undefined,
      idealBytes,
      forageBytes: real?.map(({ forageBytes }) => forageBytes) ?? computedBytes,
      computedBytes,
      othersLargest: others.sort((a, b) => a - b)[Math.floor(NAME_SETS * 0.95)]! / idealBytes,
    };
  });
}

const named = (nodes: number, prefix = 'n'): string[] =>
  Array.from({ length: nodes }, (_, i) => `${prefix}${i + 1}`);

/** With containerd's content store, which is empty but for manifests on all nodes but n1. */
const totals = ({ forageBytes }: Row, contentBytes: number): number[] => [
  forageBytes[0]! + contentBytes,
  ...forageBytes.slice(1),
];
const plainBytes = ({ plain }: Results): number => plain.packedBytes + plain.unpackedBytes;

export function summary(results: Results): string {
  const { plain, contentBytes, blockBytes, blocks, replicas, measured } = results;
  const [all, packed, unpacked] = [plainBytes(results), plain.packedBytes, plain.unpackedBytes].map((bytes) =>
    mb(bytes).toFixed(0),
  );
  const others = measured.flatMap(({ usages }) => usages.slice(1)).map((usage) => usage.contentBytes);
  return `${results.images.join(', ')}
An ordinary node has ${all} MB of them: ${packed} MB packed in containerd's content store, ${unpacked} MB unpacked.
Their volumes have A = ${mb(blockBytes).toFixed(1)} MB in ${blocks} distinct blocks, each kept r = ${replicas} times.
n1's content store: ${mb(contentBytes.kept).toFixed(0)} MB, ${mb(contentBytes.dropped).toFixed(2)} MB with drop_blobs; the other nodes': ${mb(most(others)).toFixed(2)} MB at most.`;
}

/** forage's root, MB a node. */
export function storageTable(results: Results): string {
  const { contentBytes } = results;
  return table(
    results.rows.map((row) => ({
      nodes: row.nodes,
      by: row.isComputed ? 'computed' : 'measured',
      'r*A/n': mb(row.idealBytes),
      n1: mb(row.forageBytes[0]!),
      mean: mb(mean(row.forageBytes)),
      largest: mb(most(row.forageBytes)),
      'largest computed': mb(most(row.computedBytes)),
      'largest / (r*A/n)': most(row.forageBytes) / row.idealBytes,
      'other names, 95%': row.othersLargest,
      'n1 with blobs': mb(row.forageBytes[0]! + contentBytes.kept),
      'n1, dropped': mb(row.forageBytes[0]! + contentBytes.dropped),
      'largest / ordinary': most(totals(row, contentBytes.dropped)) / plainBytes(results),
    })),
  );
}

export function movesTable({ measured }: Results): string {
  return table(
    measured.map(({ nodes, movedBytes, joinerBytes, seconds }) => ({
      nodes,
      'moved, MB': mb(movedBytes),
      'the new node owns, MB': mb(joinerBytes),
      'moved / owned': movedBytes / joinerBytes,
      'at rest after, s': Math.round(seconds),
    })),
  );
}

/** Of the largest cluster. */
export function partsTable({ measured }: Results): string {
  return table(
    measured.at(-1)!.usages.map(({ node, forageBytes, parts, blockBytes, contentBytes }) => ({
      node,
      'forage, MB': mb(forageBytes),
      'blocks/': mb(parts.blocks),
      'their bytes': mb(blockBytes),
      'volumes/': mb(parts.volumes),
      'db/': mb(parts.db),
      'snapshots/': mb(parts.snapshots),
      'content store': mb(contentBytes),
    })),
  );
}

export function lines(results: Results): Line[] {
  const { rows, contentBytes, plain } = results;
  const over = (bytes: (row: Row) => number) =>
    rows.map((row) => ({ nodes: row.nodes, bytes: bytes(row), isComputed: row.isComputed }));
  const [packed, unpacked] = [plain.packedBytes, plain.unpackedBytes].map((bytes) => mb(bytes).toFixed(0));
  return [
    {
      name: `without forage: ${packed} packed + ${unpacked} unpacked`,
      color: '#d1495b',
      points: over(() => plainBytes(results)),
      style: 'dashed',
    },
    {
      name: 'forage, largest node, blobs kept',
      color: '#c77d0a',
      points: over((row) => most(totals(row, contentBytes.kept))),
    },
    {
      name: 'forage, mean of the nodes, blobs dropped',
      color: '#3a9d5d',
      points: over((row) => mean(totals(row, contentBytes.dropped))),
      style: 'thin',
    },
    {
      name: 'forage, largest node, blobs dropped',
      color: '#2a8fbd',
      points: over((row) => most(totals(row, contentBytes.dropped))),
    },
    {
      name: 'ideal: two copies, spread evenly',
      color: GREY,
      points: over((row) => row.idealBytes),
      style: 'dashed',
    },
  ];
}

export function bounds(results: Results): Bound[] {
  const { rows, measured, contentBytes, blobsLeft } = results;
  const usages = measured.flatMap((one) => one.usages);
  const worst = (isComputed: boolean) =>
    most(
      rows
        .filter((row) => row.isComputed === isComputed)
        .map(({ forageBytes, idealBytes }) => most(forageBytes) / idealBytes),
    );
  return [
    {
      what: 'blocks out of place when measured, all nodes',
      value: usages.reduce((sum, { misplaced }) => sum + misplaced.missing + misplaced.excess, 0),
      atMost: 0,
    },
    { what: 'largest node, measured / (r*A/n)', value: worst(false), atMost: 1.1 },
    { what: 'largest node, computed / (r*A/n)', value: worst(true), atMost: 1.1 },
    { what: 'blobs left on n1 with drop_blobs', value: blobsLeft, atMost: 0 },
    {
      what: 'largest of two nodes, blobs dropped / an ordinary node',
      value: most(totals(rows[0]!, contentBytes.dropped)) / plainBytes(results),
      atMost: 0.5,
    },
  ];
}
