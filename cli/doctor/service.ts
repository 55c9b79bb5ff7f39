/** forage itself on this machine: units, sockets, identity, disk, clock. */
import { once } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { IdentityError, loadIdentity } from '../../peers/identity/identity.ts';
import { bytes } from '../output.ts';
import { type Check, type Finding, missing, ok, warning } from './check.ts';

const DAY_MS = 24 * 3600 * 1000;
const EXPIRES_SOON_DAYS = 30;
const ISSUE = 'forage cluster issue NAME --dir CLUSTER --out NEW  # then NEW/* to /etc/forage on this node';
const FREE_BYTES_MIN = 1e9;
/** statfs(2)'s type of overlayfs, from linux/magic.h. */
const OVERLAYFS_MAGIC = 0x794c7630;

const UNITS = ['forage-volumes.service', 'forage.service'];

const units: Check = {
  name: 'systemd units',
  async examine({ run }) {
    const { status, text } = await run(
      'systemctl',
      'show',
      '--property=Id,ActiveState,UnitFileState',
      ...UNITS,
    );
    if (status !== 0)
      return warning('systemd does not answer; something else must run forage', 'systemctl status');
    return judgeUnits(text);
  },
};

/** `text` has `Property=value` lines, one paragraph a unit. */
export function judgeUnits(text: string): Finding {
  const enable = `systemctl enable --now ${UNITS.join(' ')}`;
  const paragraphs = text.trim().split(/\n\s*\n/);
  const shown = paragraphs.map((paragraph) => new Map(paragraph.split('\n').map((line) => splitOnce(line))));
  const dead = shown.filter((unit) => unit.get('ActiveState') !== 'active').map((unit) => unit.get('Id'));
  if (dead.length > 0) return missing(`not running: ${dead.join(', ')}`, enable);
  const manual = shown
    .filter((unit) => unit.get('UnitFileState') !== 'enabled')
    .map((unit) => unit.get('Id'));
  if (manual.length > 0) return warning(`not started at boot: ${manual.join(', ')}`, enable);
  return ok('running, and started at boot');
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf('=');
  return [line.slice(0, at), line.slice(at + 1)];
}

const sockets: Check = {
  name: 'sockets',
  async examine({ config }) {
    for (const name of ['snapshotter.sock', 'admin.sock']) {
      const path = join(config.run, name);
      if (!(await accepts(path))) return missing(`nobody listens at ${path}`, 'systemctl restart forage');
    }
    return ok(`served in ${config.run}`);
  },
};

async function accepts(path: string): Promise<boolean> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

const volumes: Check = {
  name: 'volume server',
  async examine({ config }) {
    const point = join(config.run, 'volumes');
    const mounted = (await readFile('/proc/self/mountinfo', 'utf8'))
      .split('\n')
      .some((line) => line.split(' ')[4] === point && / - fuse/.test(line));
    return mounted
      ? ok(`mounted at ${point}`)
      : missing(`nothing is mounted at ${point}`, 'systemctl restart forage-volumes');
  },
};

const identity: Check = {
  name: 'identity',
  async examine({ config }) {
    try {
      const { name, expires } = await loadIdentity(config.identity);
      const days = Math.floor((expires.getTime() - Date.now()) / DAY_MS);
      const found = `${name}, valid until ${expires.toISOString().slice(0, 10)}`;
      return days < EXPIRES_SOON_DAYS ? warning(`${found}: ${days} days left`, ISSUE) : ok(found);
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      return missing(error.message, ISSUE);
    }
  },
};

const disk: Check = {
  name: 'disk',
  async examine({ config: { root } }) {
    const enable = 'systemctl enable --now forage';
    const about = await statfs(root).catch(() => undefined);
    if (about === undefined) return missing(`${root} is not there; the unit makes it`, enable);
    if (about.type === OVERLAYFS_MAGIC) {
      const fix = 'forage config  # set root to a folder on ext4, xfs or btrfs';
      return missing(`${root} is on overlayfs, which cannot be written to through another overlayfs`, fix);
    }
    const free = about.bavail * about.bsize;
    const found = `${bytes(free)} free at ${root}`;
    return free < FREE_BYTES_MIN
      ? warning(found, 'nerdctl --snapshotter forage image prune --all')
      : ok(found);
  },
};

const clock: Check = {
  name: 'clock',
  async examine({ run }) {
    const { status, text } = await run('timedatectl', 'show', '--property=NTPSynchronized', '--value');
    if (status === 0 && text.trim() === 'yes') return ok('synchronised');
    const found = `${new Date().toISOString()}, not known to be right: certificates are not valid at wrong times`;
    return warning(found, 'apt install systemd-timesyncd && timedatectl set-ntp true');
  },
};

export const serviceChecks: Check[] = [units, sockets, volumes, identity, disk, clock];
