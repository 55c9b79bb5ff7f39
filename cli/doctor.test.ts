import t from 'tap';
import { parseConfig } from '../node/config/config.ts';
import { stanza } from './containerd-config.ts';
import { type Machine, type Output, ok, run } from './doctor/check.ts';
import { judgeConfiguration } from './doctor/containerd.ts';
import { judgeKernel } from './doctor/kernel.ts';
import { judgeUnits } from './doctor/service.ts';
import { toolChecks } from './doctor/tools.ts';
import { examine, forPeople } from './doctor.ts';

const ABSENT: Output = { status: undefined, out: '', text: '' };

/** A machine on which commands (`name arg …`) answer as given, and others are not installed. */
function machine(commands: Record<string, string>): Machine {
  return {
    config: parseConfig('', ''),
    run: async (...words) => {
      const text = commands[words.join(' ')];
      return text === undefined ? ABSENT : { status: 0, out: text, text };
    },
  };
}

t.test('kernels are judged by what they cannot do', async (t) => {
  t.equal(judgeKernel('6.12.48+deb13-amd64').state, 'ok');
  t.match(judgeKernel('6.9.0'), { state: 'warning', found: /loop device/ });
  t.match(judgeKernel('6.1.0-40-amd64'), { state: 'warning', found: /crash of the volume server/ });
  t.equal(judgeKernel('4.19.0').state, 'missing');
  t.equal(judgeKernel('odd').state, 'missing');
});

t.test('tools of the baseline are fine', async (t) => {
  const baseline = machine({
    'mkfs.erofs --version': 'mkfs.erofs (erofs-utils) 1.8.6\n  available compressors: lz4, lz4hc\n',
    'runc --version': 'runc version 1.1.15+ds1\nspec: 1.1.0\n',
    'criu --version': 'Version: 4.1.1\nGitID: v4.1.1\n',
    'forage-runc --version': 'runc version 1.1.15+ds1\n',
    'uname -r': '6.12.48+deb13-amd64\n',
  });
  t.strictSame(
    (await examine(toolChecks, baseline)).map(({ state }) => state),
    ['ok', 'ok', 'ok', 'ok', 'ok'],
  );
});

t.test('a tool that is absent or too old comes with the fix; CRIU may be absent', async (t) => {
  const results = await examine(toolChecks, machine({ 'mkfs.erofs --version': 'mkfs.erofs 1.5\n' }));
  t.match(results, [
    { name: 'Node', state: 'ok' },
    { name: 'mkfs.erofs', state: 'missing', found: /^1\.5: 1\.8 or newer/, fix: /apt install erofs-utils/ },
    { name: 'runc', state: 'missing', fix: /apt install runc/ },
    { name: 'CRIU', state: 'warning', fix: /apt install criu/ },
    { name: 'forage-runc', state: 'warning', fix: 'hack/install' },
  ]);
});

t.test('the newest kernels want the newest CRIU', async (t) => {
  const criu = async (kernel: string, version: string) => {
    const found = machine({ 'criu --version': `Version: ${version}\n`, 'uname -r': `${kernel}\n` });
    return (await examine(toolChecks, found)).find(({ name }) => name === 'CRIU')?.state;
  };
  t.equal(await criu('6.18.1', '4.1.1'), 'warning');
  t.equal(await criu('6.18.1', '4.2.1'), 'ok');
  t.equal(await criu('6.12.1', '4.1.1'), 'ok');
  t.equal(await criu('6.12.1', '3.17'), 'warning');
});

t.test("containerd's configuration is right with the stanza, and wrong without any part of it", async (t) => {
  const socket = '/run/forage/snapshotter.sock';
  const judge = (text: string) => judgeConfiguration(`version = 2\n${text}`, socket);
  const whole = stanza('2', socket, '/var/lib/forage');
  t.equal(judge(whole).state, 'ok');
  t.match(judge(''), { state: 'missing', fix: /forage containerd-config >>/ });
  t.match(judge(stanza('2', '/elsewhere.sock', '/x')), { state: 'missing', found: /elsewhere/ });
  const withoutUnpack = whole.replaceAll(/^\[\[[\s\S]*?snapshotter = "\w+"$/gm, '');
  t.match(judge(withoutUnpack), { state: 'missing', found: /transfer service/ });
});

t.test('units must run, and should start at boot', async (t) => {
  const show = (active: string, enabled: string) =>
    `Id=forage-volumes.service\nActiveState=active\nUnitFileState=enabled\n\nId=forage.service\nActiveState=${active}\nUnitFileState=${enabled}\n`;
  t.equal(judgeUnits(show('active', 'enabled')).state, 'ok');
  t.match(judgeUnits(show('failed', 'enabled')), { state: 'missing', found: 'not running: forage.service' });
  t.match(judgeUnits(show('active', 'disabled')), { state: 'warning', found: /boot: forage\.service$/ });
});

t.test('an examination that throws is a finding', async (t) => {
  const broken = { name: 'broken', examine: () => Promise.reject(new Error('why')) };
  const [result] = await examine([broken, { name: 'fine', examine: async () => ok('yes') }], machine({}));
  t.match(result, { name: 'broken', state: 'missing', found: /why/ });
});

t.test('people see each fix below its finding, and the count', async (t) => {
  const shown = forPeople([
    { name: 'kernel', state: 'ok', found: 'Linux 6.12' },
    { name: 'runc', state: 'missing', found: 'not here', fix: 'apt install runc' },
  ]);
  t.equal(
    shown,
    'ok       kernel  Linux 6.12\nmissing  runc    not here\n         fix: apt install runc\n\n1 required, missing.',
  );
});

t.test('a command that cannot be started is told from one that fails', async (t) => {
  t.strictSame(await run('/nowhere/tool'), ABSENT);
  t.strictSame(await run('sh', '-c', 'echo out; echo err >&2; exit 3'), {
    status: 3,
    out: 'out\n',
    text: 'out\nerr\n',
  });
});
