import { randomBytes } from 'node:crypto';
import t from 'tap';
import { serializeBlocksReply } from './blocks-reply.ts';
import { peer } from './peer.ts';

t.test('written by hand, a reply is to the byte what the generated code writes', async (t) => {
  const lengths = [[], [0], [1], [127, 128, 0, 16_383, 16_384], [524_288, 4096, 0], [2_097_152]];
  for (const list of lengths) {
    const reply = new peer.BlocksReply();
    reply.setDataList(list.map((length) => randomBytes(length)));
    t.ok(serializeBlocksReply(reply).equals(reply.serializeBinary()), `lengths ${list}`);
  }
});
