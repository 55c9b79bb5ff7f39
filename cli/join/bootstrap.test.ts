import t from 'tap';
import { bootstrapAddresses } from './bootstrap.ts';

t.test('addresses of members get the port that they lack, and are named once', async (t) => {
  t.same(
    bootstrapAddresses([
      '10.0.0.1',
      'n1.example:7500',
      'fd00::1',
      '[fd00::1]',
      '[fd00::1]:9',
      '10.0.0.1:7401',
    ]),
    ['10.0.0.1:7401', 'n1.example:7500', '[fd00::1]:7401', '[fd00::1]:9'],
  );
});

t.test('what is no address is wrong usage', async (t) => {
  for (const typed of [
    '',
    ':7401',
    'n1:0',
    'n1:65536',
    'n1:x',
    'n 1',
    'http://n1',
    '[fd00::1',
    'a'.repeat(300),
  ])
    t.throws(
      () => bootstrapAddresses([typed]),
      { name: 'UsageError', message: /expected the address of a member/ },
      typed,
    );
});
