/** What many runs come to, and how fast they were simulated. */
import type { Result } from './jobs.ts';

const MIB = 1 << 20;

export interface Spent {
  wallSeconds: number;
  /** Of the whole process: all threads, and the engine's helpers. */
  cpuSeconds: number;
}

export interface Summary extends Spent {
  seeds: number;
  /** Of all runs. */
  nodes: number;
  virtualSeconds: number;
  events: number;
  faults: number;
  blocks: number;
  /** With all the nodes that had them. */
  lost: number;
  placed: number;
  dropped: number;
  movedBytes: number;
  /** Virtual seconds for each second of one processor; and for each that has passed, all jobs together. */
  timesRealTimeByCpu: number;
  timesRealTimeByWall: number;
}

const SUMMED = [
  'nodes',
  'virtualSeconds',
  'events',
  'faults',
  'blocks',
  'lost',
  'placed',
  'dropped',
] as const satisfies (keyof Summary)[];

export class Totals {
  readonly #sums = Object.fromEntries(SUMMED.map((key) => [key, 0])) as Record<
    (typeof SUMMED)[number],
    number
  >;
  #seeds = 0;
  #movedBytes = 0;

  add({ report }: Result): void {
    this.#seeds++;
    this.#movedBytes += report.repairBytes;
    for (const key of SUMMED) this.#sums[key] += report[key];
  }

  summary(spent: Spent): Summary {
    const { virtualSeconds } = this.#sums;
    return {
      seeds: this.#seeds,
      ...this.#sums,
      movedBytes: this.#movedBytes,
      ...spent,
      timesRealTimeByCpu: virtualSeconds / spent.cpuSeconds,
      timesRealTimeByWall: virtualSeconds / spent.wallSeconds,
    };
  }
}

/** Of one run. */
export function lineOf({ report, seconds, cpuSeconds }: Result): string {
  const perByte = (bytes: number) => (bytes / Math.max(report.ingestedBytes, 1)).toFixed(2);
  return [
    `seed ${report.seed}: ${report.nodes} nodes, ${report.replicas} replicas`,
    `${report.faults} faults, ${report.events} events`,
    `${report.blocks} blocks, ${report.lost} lost with their owners`,
    `moved per byte ingested ${perByte(report.repairBytes)}`,
    `fullest node ${report.maxLoad.toFixed(2)}`,
    `${report.asks} questions of ${report.askedBlocks} blocks`,
    `${report.virtualSeconds} s in ${seconds.toFixed(1)} s, of the processor ${cpuSeconds.toFixed(1)} s`,
  ].join('; ');
}

/** Of all so far. */
export function textOf(summary: Summary): string {
  const { seeds, nodes, virtualSeconds, events, faults } = summary;
  return [
    `${seeds} seeds, ${nodes} nodes, ${(virtualSeconds / 3600).toFixed(1)} virtual hours`,
    `${events} events, ${faults} faults`,
    `${summary.blocks} blocks, ${summary.lost} lost with their owners`,
    `${Math.round(summary.movedBytes / MIB)} MiB moved`,
    `${summary.wallSeconds.toFixed(0)} s, of the processor ${summary.cpuSeconds.toFixed(0)} s`,
    `times real time: ${Math.round(summary.timesRealTimeByCpu)} by the processor, ${Math.round(summary.timesRealTimeByWall)} by the clock`,
  ].join('; ');
}
