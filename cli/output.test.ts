import t from 'tap';
import { explain, Failure } from './errors.ts';
import { bytes, count, milliseconds, percent, short, table } from './output.ts';

t.test('sizes have three or four digits and a unit', async (t) => {
  t.equal(bytes(0), '0 B');
  t.equal(bytes(999), '999 B');
  t.equal(bytes(1000), '1.0 kB');
  t.equal(bytes(999_999), '1.0 MB');
  t.equal(bytes(1_500_000_000), '1.5 GB');
  t.equal(bytes(2 ** 53), '9.0 PB');
});

t.test('a share is 100 % only when all is here, and 0 % only when nothing is', async (t) => {
  t.equal(percent(9999, 10_000), '99 %');
  t.equal(percent(10_000, 10_000), '100 %');
  t.equal(percent(1, 10_000), '1 %');
  t.equal(percent(0, 10_000), '0 %');
  t.equal(percent(0, 0), '100 %');
});

t.test('small words', async (t) => {
  t.equal(count(1, 'block'), '1 block');
  t.equal(count(1234, 'block'), '1,234 blocks');
  t.equal(milliseconds(0.26), '0.3 ms');
  t.equal(milliseconds(123.4), '123 ms');
  t.equal(short(`sha256:${'ab'.repeat(32)}`), 'abababababab');
});

t.test('columns are as wide as they must be, without space at the ends', async (t) => {
  t.equal(
    table(
      ['NAME', '>SIZE', 'STATE'],
      [
        ['a', '1', '-'],
        ['longer', '12345', 'x'],
      ],
    ),
    'NAME     SIZE  STATE\na           1  -\nlonger  12345  x',
  );
});

t.test(
  'an error for people is its message; any other says that it is unexpected; none has a stack',
  async (t) => {
    t.strictSame(explain(new Failure('it is off')), { status: 1, lines: ['it is off'] });
    t.strictSame(explain(new TypeError('x is not y')), {
      status: 1,
      lines: ['unexpected TypeError: x is not y'],
    });
    const system = Object.assign(new Error('EACCES: permission denied'), { syscall: 'open', code: 'EACCES' });
    t.strictSame(explain(system), { status: 1, lines: ['EACCES: permission denied'] });
  },
);
