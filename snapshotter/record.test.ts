import t from 'tap';
import { layerNameOf, offeredName } from './record.ts';

const CHAIN = `sha256:${'a1'.repeat(32)}`;

t.test('a layer is known by a name that ends in exactly a chainID', async (t) => {
  t.same(layerNameOf(`k8s.io/17/${CHAIN}`), { namespace: 'k8s.io', chainId: CHAIN });
  const others = [
    CHAIN,
    `17/${CHAIN}`,
    `default/17/${CHAIN}-1000-1000`,
    `default/17/x${CHAIN}`,
    `default/17/sha256:a1`,
  ];
  for (const name of [
    ...others,
    `default/17/${CHAIN}\n`,
    `a/b/17/${CHAIN}`,
    `default/17/${CHAIN.toUpperCase()}`,
  ]) {
    t.equal(layerNameOf(name), undefined, name);
  }
});

t.test('the name of an offered layer is one of that layer, and none that containerd gives', async (t) => {
  const name = offeredName('default/12/extract-1 sha256:x', 34, CHAIN);
  t.equal(name, `default/12-34/${CHAIN}`);
  t.same(layerNameOf(name), { namespace: 'default', chainId: CHAIN });
});
