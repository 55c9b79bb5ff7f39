import t from 'tap';
import type { LayerRecord } from '../../blocks/types.ts';
import { isWritable, partChain, writableLayers } from './writable.ts';

const root = (digit: string) => digit.repeat(64);
const image = [`sha256:${root('a')}`, `sha256:${root('b')}`];

t.test('writable volumes on top of an image are told apart again, also several', async (t) => {
  const volumes = [root('1'), root('2')].map((name) => ({ root: name, format: 'erofs-walk-lz4-1' }));
  const layers = writableLayers(image[1]!, volumes);
  t.same(
    layers.map(({ parent }) => parent),
    [image[1], layers[0]!.chainId],
  );
  const records = new Map<string, LayerRecord>(layers.map((layer) => [layer.chainId, layer]));
  const chain = [...image, ...layers.map(({ chainId }) => chainId)];
  t.same(
    partChain(chain, (chainId) => records.get(chainId)),
    { image, writable: [root('1'), root('2')] },
  );
  t.ok(layers.every(isWritable));
});

t.test("an image's layers are none, whether they are known or not", async (t) => {
  const layer: LayerRecord = {
    chainId: image[1]!,
    parent: image[0]!,
    diffId: '',
    root: root('3'),
    format: 'erofs-walk-lz4-1',
    origin: 'walked',
  };
  t.notOk(isWritable(layer));
  t.same(
    partChain(image, (chainId) => (chainId === layer.chainId ? layer : undefined)),
    { image, writable: [] },
  );
  t.same(
    partChain([], () => undefined),
    { image: [], writable: [] },
  );
});
