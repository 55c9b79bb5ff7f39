/** One machine seen from outside: power it on, find its init, power it off at once, destroy its disk. */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Cluster, isNode, type Machine } from './model.ts';
import { labelOf, machineDir, portOf, removeCable, switchOf, unplug } from './network.ts';
import { here } from './paths.ts';
import { outcomeOf, poll, UserError } from './run.ts';
import { writeSeed } from './seed.ts';
import { shapeOf } from './units.ts';

/** Folders of /var/lib that must not lie on an overlay, because overlays and stores are made in them. */
const diskFolders = { node: ['containerd', 'forage', 'nerdctl'], registry: ['docker-registry'] };

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
};

/** The settings that machine.sh reads. All values come from checked data; quotes are for spaces only. */
function powerFile(cluster: Cluster, machine: Machine, seed: string): string {
  const shape = shapeOf(machine.rateBits);
  const trees = isNode(machine) ? cluster.trees : cluster.trees.slice(-1);
  const settings = {
    label: labelOf(cluster.name, machine.name),
    hostname: machine.name,
    netns: labelOf(cluster.name, machine.name),
    switch: switchOf(cluster.name),
    port: portOf(machine.name),
    address: machine.address,
    mac: `02:f0:0a:5a:00:${Number(machine.address.split('.').at(-1)).toString(16).padStart(2, '0')}`,
    rate_bits: machine.rateBits,
    tbf: `rate ${shape.rateBits}bit burst ${shape.burstBytes} limit ${shape.queueBytes}`,
    // A round trip crosses two cables twice.
    delay_us: Math.round((cluster.rttMs * 1000) / 4),
    node: process.execPath,
    lower: [seed, ...trees].join(':'),
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}='${value}'\n`)
    .join('');
}

/** Where the host runs systemd on cgroup v2, our cgroups must be in a scope that it leaves to us. */
const delegated = (label: string): string[] =>
  existsSync('/run/systemd/system') && existsSync('/sys/fs/cgroup/cgroup.controllers')
    ? ['systemd-run', '--quiet', '--scope', '--collect', `--unit=${label}`, '--property=Delegate=yes', '--']
    : [];

/** Powers a machine on; it boots while this returns. */
export function powerOn(cluster: Cluster, machine: Machine): void {
  const dir = machineDir(cluster.name, machine.name);
  for (const folder of ['upper', 'work', 'root']) mkdirSync(join(dir, folder), { recursive: true });
  for (const folder of diskFolders[isNode(machine) ? 'node' : 'registry']) {
    mkdirSync(join(dir, 'disk', folder), { recursive: true });
  }
  const seed = writeSeed(cluster, machine);
  writeFileSync(join(dir, 'power'), powerFile(cluster, machine, seed));
  rmSync(join(dir, 'pid'), { force: true });
  const console = openSync(join(dir, 'console.log'), 'a');
  const [command, ...args] = [
    ...delegated(labelOf(cluster.name, machine.name)),
    'sh',
    here('machine.sh'),
    dir,
  ];
  spawn(command!, args, { detached: true, stdio: ['ignore', console, console] }).unref();
  closeSync(console);
}

/** The cgroup that holds all of a machine's processes; undefined if it never had one or it is gone. */
function cgroupsOf(cluster: string, machine: string): string[] {
  const recorded = readText(join(machineDir(cluster, machine), 'cgroups'))
    .trim()
    .split('\n');
  return recorded.filter((path) => path.endsWith(`/${labelOf(cluster, machine)}`) && existsSync(path));
}

/** machine.sh's pid while it lives. A pid that was reused is recognised by its cgroup, one not yet reaped by its command line. */
export function keeperOf(cluster: string, machine: string): number | undefined {
  const pid = Number(readText(join(machineDir(cluster, machine), 'pid')));
  const ours = pid > 1 && readText(`/proc/${pid}/cgroup`).includes(`/${labelOf(cluster, machine)}/keeper`);
  return ours && readText(`/proc/${pid}/cmdline`) ? pid : undefined;
}

const childrenOf = (pid: number): number[] =>
  readText(`/proc/${pid}/task/${pid}/children`).trim().split(' ').filter(Boolean).map(Number);

/** Is it pid 1 of a pid namespace that is not ours? */
function isInit(pid: number): boolean {
  const levels = /^NSpid:\s*(.*)$/m.exec(readText(`/proc/${pid}/status`))?.[1]?.split(/\s+/) ?? [];
  return levels.length > 1 && levels.at(-1) === '1';
}

/** The pid of the machine's init, once its systemd takes orders; undefined while it is off or booting. */
export function initOf(cluster: string, machine: string): number | undefined {
  const keeper = keeperOf(cluster, machine);
  const init = keeper && childrenOf(keeper).flatMap(childrenOf).find(isInit);
  return init && existsSync(`/proc/${init}/root/run/systemd/private`) ? init : undefined;
}

export type State = 'on' | 'booting' | 'off';

export function stateOf(cluster: string, machine: string): State {
  if (initOf(cluster, machine)) return 'on';
  return keeperOf(cluster, machine) ? 'booting' : 'off';
}

/** How to run something inside; setpriv ends it together with the caller, a clean environment is the machine's. */
export function enter(init: number, command: string[]): string[] {
  const environment = [
    'HOME=/root',
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin',
    'LANG=C.UTF-8',
  ];
  if (process.env.TERM) environment.push(`TERM=${process.env.TERM}`);
  const inside = ['setpriv', '--pdeathsig', 'KILL', 'env', '-i', '--chdir=/root', ...environment, ...command];
  return ['nsenter', `--target=${init}`, '--all', '--', ...inside];
}

/** Runs something inside a machine that is on. */
export async function inside(cluster: Cluster, machine: Machine, ...command: string[]) {
  const init = initOf(cluster.name, machine.name);
  if (!init) return { status: 255, stdout: '', stderr: 'the machine is off' };
  const [program, ...args] = enter(init, command);
  return outcomeOf(program!, args);
}

function processesIn(cgroup: string): number[] {
  if (!existsSync(cgroup)) return [];
  const below = readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const own = readText(join(cgroup, 'cgroup.procs')).trim().split('\n').filter(Boolean).map(Number);
  return [...own, ...below.flatMap((entry) => processesIn(join(cgroup, entry.name)))];
}

function removeCgroup(cgroup: string): void {
  for (const entry of readdirSync(cgroup, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(cgroup, entry.name));
  }
  rmdirSync(cgroup);
}

/**
 * Power off at once, as when the plug is pulled: first the cable, so that no connection is closed politely, then every
 * process, and with the last one go all of the machine's mounts. Its disk stays. Nothing happens if it is off.
 */
export async function powerOff(cluster: string, machine: string): Promise<void> {
  await unplug(cluster, machine);
  await killAll(cluster, machine);
  await removeCable(cluster, machine);
  const root = join(machineDir(cluster, machine), 'root');
  while ((await outcomeOf('umount', ['--lazy', root])).status === 0);
  await outcomeOf('rmdir', [`/run/systemd/nspawn/propagate/${labelOf(cluster, machine)}`]); // nspawn's, left where /run is no tmpfs
}

async function killAll(cluster: string, machine: string): Promise<void> {
  const cgroups = cgroupsOf(cluster, machine);
  const ended = await poll(20_000, 20, () => {
    const pids = [...new Set(cgroups.flatMap(processesIn))].filter((pid) => pid > 1);
    for (const pid of pids) tryKill(pid);
    return pids.length === 0 ? true : undefined;
  });
  if (!ended) {
    const left = [...new Set(cgroups.flatMap(processesIn))].map(
      (pid) => `${pid} (${readText(`/proc/${pid}/comm`).trim()})`,
    );
    throw new UserError(`these processes of ${machine} do not die: ${left.join(', ')}`);
  }
  // A process that was killed leaves its cgroup a moment later.
  await poll(5_000, 10, () => cgroups.every(removed) || undefined);
}

function removed(cgroup: string): boolean {
  try {
    if (existsSync(cgroup)) removeCgroup(cgroup);
    return true;
  } catch {
    return false;
  }
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
