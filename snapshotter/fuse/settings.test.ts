import t from 'tap';
import { settingsFromEnvironment, settingsFromToml, toShell } from './settings.ts';

t.test('an empty file gives the defaults', async (t) => {
  t.equal(
    toShell(await settingsFromToml('')),
    'FORAGE_ROOT=/var/lib/forage FORAGE_RUN=/run/forage FORAGE_TRANSPORT=kernel FORAGE_WAIT_SECONDS=600',
  );
});

t.test('the four keys are taken, others are left to the node process', async (t) => {
  const text =
    'root = "/data"\nrun = "/run/f"\nwhat = 1\n[fuse]\ntransport = "fuse-native"\n[fetch]\nwait_seconds = 5\n';
  t.same(await settingsFromToml(text), {
    root: '/data',
    run: '/run/f',
    transport: 'fuse-native',
    waitSeconds: 5,
  });
});

t.test('a bad value is named', async (t) => {
  for (const [text, message] of [
    ['root = "/a b"', /^root is no plain path/],
    ['run = "/run/$(reboot)"', /^run is no plain path/],
    ['run = 3', /^run is no plain path/],
    ['fuse = 1', /^fuse is no table/],
    ['fuse.transport = "nbd"', /^fuse.transport/],
    ['fetch.wait_seconds = 0', /^fetch.wait_seconds/],
    ['fetch.wait_seconds = 1.5', /^fetch.wait_seconds/],
  ] as const) {
    await t.rejects(settingsFromToml(text), { message });
  }
});

t.test('what the holder hands on is what the server takes', async (t) => {
  const settings = await settingsFromToml('root = "/data"\nfetch.wait_seconds = 7');
  const env = Object.fromEntries(
    toShell(settings)
      .split(' ')
      .map((pair) => pair.split('=')),
  );
  t.same(settingsFromEnvironment(env), settings);
});
