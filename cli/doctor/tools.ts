/** Programs that forage runs, and their versions. */
import { type Check, isAtLeast, missing, ok, versionIn, warning } from './check.ts';

const node: Check = {
  name: 'Node',
  async examine() {
    const version = versionIn(process.version);
    if (version !== undefined && isAtLeast(version, 24, 0)) return ok(version.text);
    return missing(`${process.version}: 24 or newer is needed`, 'hack/install');
  },
};

const mkfs: Check = {
  name: 'mkfs.erofs',
  async examine({ run }) {
    const fix = 'apt install erofs-utils  # of Debian 13 or newer';
    const { status, text } = await run('mkfs.erofs', '--version');
    if (status === undefined) return missing('not here: layers cannot be made into volumes', fix);
    // Versions before 1.6 do not know the option.
    const version = status === 0 ? versionIn(text) : undefined;
    if (version === undefined || !isAtLeast(version, 1, 8)) {
      return missing(`${version?.text ?? 'an old version'}: 1.8 or newer is needed`, fix);
    }
    return ok(version.text);
  },
};

const runc: Check = {
  name: 'runc',
  async examine({ run }) {
    const { status, text } = await run('runc', '--version');
    if (status !== 0) return missing('not here: containers cannot be run', 'apt install runc');
    return ok(versionIn(text)?.text ?? 'of unknown version');
  },
};

const criu: Check = {
  name: 'CRIU',
  async examine({ run }) {
    const fix = 'apt install criu';
    const { status, text } = await run('criu', '--version');
    if (status !== 0) return warning('not here: containers cannot be moved while they run', fix);
    const version = versionIn(text);
    if (version === undefined || !isAtLeast(version, 4, 0)) {
      return warning(
        `${version?.text ?? 'an unknown version'}: fails on new kernels, 4.0 or newer does not`,
        fix,
      );
    }
    const kernel = versionIn((await run('uname', '-r')).out);
    if (kernel && isAtLeast(kernel, 6, 16) && !isAtLeast(version, 4, 2)) {
      const found = `${version.text}: on Linux ${kernel.text} it cannot dump internet sockets, 4.2 or newer can`;
      return warning(found, `${fix}  # of a newer Debian`);
    }
    return ok(version.text);
  },
};

const forageRunc: Check = {
  name: 'forage-runc',
  async examine({ run }) {
    const { status } = await run('forage-runc', '--version');
    if (status === 0) return ok('in front of runc');
    return warning('not here: containers cannot be moved while they run', 'hack/install');
  },
};

export const toolChecks: Check[] = [node, mkfs, runc, criu, forageRunc];
