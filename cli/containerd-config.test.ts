import { parse } from 'smol-toml';
import t from 'tap';
import { formatFor, parseExisting, stanza } from './containerd-config.ts';

t.test('the format follows the containerd that is here', async (t) => {
  t.equal(formatFor('containerd github.com/containerd/containerd 1.7.24~ds1 1.7.24~ds1-6+b4\n'), '2');
  t.equal(formatFor('containerd github.com/containerd/containerd/v2 v2.1.9 abcdef\n'), '3');
});

t.test('the stanza is TOML with the snapshotter, its root, and overlayfs kept', async (t) => {
  for (const version of ['2', '3'] as const) {
    const document = parse(stanza(version, '/run/f/snapshotter.sock', '/data/f'));
    t.match(document, {
      proxy_plugins: {
        forage: { type: 'snapshot', address: '/run/f/snapshotter.sock', exports: { root: '/data/f' } },
      },
      plugins: {
        'io.containerd.transfer.v1.local': {
          unpack_config: [{ snapshotter: 'overlayfs' }, { snapshotter: 'forage' }],
        },
      },
    });
  }
});

t.test('the stanza can be added to a file that has other things', async (t) => {
  const files = [
    '',
    'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "x"\n',
    'version = 3\n[proxy_plugins.other]\ntype = "snapshot"\n',
    'version = 3\n[plugins."io.containerd.transfer.v1.local"]\nconfig_path = "/etc"\n',
  ];
  for (const text of files) {
    t.ok(parseExisting(text, 'config.toml'));
    t.ok(parse(text + stanza('3', '/s', '/r')));
  }
  t.strictSame(parseExisting('', ''), { isEmpty: true, version: undefined });
  t.equal(parseExisting('version = 3', '').version, '3');
});

t.test('a file that it cannot be added to is told, with what to do', async (t) => {
  t.throws(() => parseExisting(stanza('2', '/s', '/r'), 'config.toml'), {
    name: 'Failure',
    message: /already/,
  });
  const unpack = '[[plugins."io.containerd.transfer.v1.local".unpack_config]]\nsnapshotter = "x"\n';
  t.throws(() => parseExisting(unpack, 'config.toml'), { message: /add an entry/ });
  t.throws(() => parseExisting('a = = b', 'config.toml'), {
    message: /^config\.toml is not valid TOML: [^\n]*$/,
  });
});
