import t from 'tap';
import {
  type Chance,
  MAX_CALLS_PER_SOURCE,
  plan,
  type Request,
  type Source,
  wholeWindowBytes,
  windowBytes,
} from './scheduler.ts';
import type { Priority } from './types.ts';

const BLOCK_BYTES = 128 * 1024;

interface Named extends Source {
  name: string;
}

function source(name: string, changes: Partial<Source> = {}): Named {
  return {
    name,
    rttMs: 2,
    bytesPerSecond: 100e6,
    inFlight: { demand: 0, background: 0 },
    calls: 0,
    penalized: false,
    ...changes,
  };
}

function numbered(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, i) => `${prefix}${i}`);
}

function planned(
  wanted: Partial<Record<Priority, string[]>>,
  sources: Named[],
  chance: (want: string, source: Named) => Chance = () => 'has',
): Request<string, Named>[] {
  const all = { demand: [], prefetch: [], completion: [], repair: [], ...wanted };
  return plan({ wanted: all, sources, chance, blockBytes: BLOCK_BYTES });
}

function askedOf(requests: Request<string, Named>[], name: string): string[] {
  return requests.filter((request) => request.source.name === name).flatMap(({ wants }) => wants);
}

t.test('demand is planned before prefetch, that before completion, and that before repair', async (t) => {
  const slow = source('slow', { bytesPerSecond: 1e6 });
  const requests = planned({ demand: ['d'], prefetch: ['p'], completion: ['c'], repair: numbered(50, 'r') }, [
    slow,
  ]);
  t.strictSame(
    requests.map(({ priority }) => priority),
    ['demand', 'prefetch', 'completion', 'repair'],
  );
  const full = planned({ demand: numbered(50, 'd'), prefetch: ['p'], completion: ['c'] }, [slow]);
  t.ok(
    full.every(({ priority }) => priority === 'demand'),
    'demand alone fills the window',
  );
});

t.test('background never takes the room of a demand', async (t) => {
  const busy = source('busy', { inFlight: { demand: 0, background: 8 << 20 } });
  t.strictSame(planned({ completion: ['c'] }, [busy]), []);
  t.strictSame(askedOf(planned({ demand: ['d'] }, [busy]), 'busy'), ['d']);
});

t.test('what is on the way from a source stays within its window, and about fills it', async (t) => {
  for (const [rttMs, bytesPerSecond] of [
    [1, 1e6],
    [20, 125e6],
    [2, 12.5e6],
    [200, 500e6],
  ] as const) {
    const one = source('one', { rttMs, bytesPerSecond });
    const window = windowBytes(one);
    const bytes = askedOf(planned({ completion: numbered(1000, 'c') }, [one]), 'one').length * BLOCK_BYTES;
    t.ok(bytes >= window - BLOCK_BYTES && bytes < window + BLOCK_BYTES, `${bytes} of ${window}`);
  }
  t.ok(windowBytes({ rttMs: 20, bytesPerSecond: 125e6 }) > 0.02 * 125e6, 'a gigabit at 20 ms stays full');
});

t.test('demand goes out in small requests, background in large ones', async (t) => {
  const requests = planned({ demand: numbered(8, 'd'), completion: numbered(60, 'c') }, [source('one')]);
  const sizes = (priority: Priority) =>
    requests.filter((r) => r.priority === priority).map((r) => r.wants.length);
  t.strictSame(sizes('demand'), [4, 4]);
  t.ok(sizes('completion')[0]! > 20);
});

t.test('the near and fast source is asked first, others when it is full', async (t) => {
  const near = source('near');
  const far = source('far', { rttMs: 50, bytesPerSecond: 10e6 });
  t.strictSame(askedOf(planned({ demand: ['d'] }, [far, near]), 'near'), ['d']);
  const requests = planned({ completion: numbered(200, 'c') }, [far, near]);
  t.ok(askedOf(requests, 'near').length > askedOf(requests, 'far').length);
  t.ok(askedOf(requests, 'far').length > 0, 'several sources at once');
});

t.test('no block is asked of two sources, or twice', async (t) => {
  const requests = planned({ demand: numbered(30, 'd'), completion: numbered(100, 'c') }, [
    source('a'),
    source('b'),
  ]);
  const asked = requests.flatMap(({ wants }) => wants);
  t.equal(new Set(asked).size, asked.length);
});

t.test('a known holder is preferred to one that may have it, unless that is far nearer', async (t) => {
  const chance = (_: string, { name }: Named): Chance => (name === 'holder' ? 'has' : 'maybe');
  t.strictSame(askedOf(planned({ demand: ['d'] }, [source('other'), source('holder')], chance), 'holder'), [
    'd',
  ]);
  const far = source('holder', { rttMs: 500 });
  t.strictSame(askedOf(planned({ demand: ['d'] }, [source('other'), far], chance), 'other'), ['d']);
});

t.test('a source that does not have it is not asked; a block that nobody has is in no request', async (t) => {
  const chance = (want: string, { name }: Named): Chance => (want === 'd1' && name === 'a' ? 'has' : 'no');
  const requests = planned({ demand: ['d0', 'd1', 'd2'] }, [source('a'), source('b')], chance);
  t.strictSame(
    requests.flatMap(({ wants }) => wants),
    ['d1'],
  );
});

t.test('a penalized source is asked only when there is no other', async (t) => {
  const liar = source('liar', { rttMs: 0.1, bytesPerSecond: 1e9, penalized: true });
  t.strictSame(askedOf(planned({ demand: ['d'] }, [liar, source('honest', { rttMs: 300 })]), 'honest'), [
    'd',
  ]);
  t.strictSame(askedOf(planned({ demand: ['d'] }, [liar]), 'liar'), ['d']);
});

t.test('the calls to one source are bounded', async (t) => {
  const tiny = {
    wanted: { demand: numbered(5000, 'd'), prefetch: [], completion: [], repair: [] },
    blockBytes: 64,
  };
  const requests = plan({ ...tiny, sources: [source('one')], chance: () => 'has' });
  t.equal(requests.length, MAX_CALLS_PER_SOURCE);
  t.strictSame(planned({ demand: ['d'] }, [source('one', { calls: MAX_CALLS_PER_SOURCE })]), []);
});

t.test('without sources or wants there is no plan', async (t) => {
  t.strictSame(planned({ demand: ['d'] }, []), []);
  t.strictSame(planned({}, [source('one')]), []);
});

t.test('what a source may hold goes apart from what it has, in small requests', async (t) => {
  const chance = (want: string): Chance => (want.startsWith('s') ? 'soon' : 'has');
  const wants = numbered(20, 'h').flatMap((want, i) => [want, `s${i}`]);
  const requests = planned({ completion: wants }, [source('one')], chance);
  for (const { mayWait, wants } of requests) {
    t.ok(wants.every((want) => want.startsWith('s') === mayWait));
    t.ok(!mayWait || wants.length <= 8);
  }
  t.same(new Set(requests.flatMap(({ wants }) => wants)), new Set(wants));
  t.equal(requests.filter(({ mayWait }) => !mayWait).length, 1);
});

t.test('demand goes where blocks came quickly lately, whatever the round trip promises', async (t) => {
  const slow = source('near', { rttMs: 0.1, demandMs: 400 });
  t.strictSame(askedOf(planned({ demand: ['d'] }, [slow, source('far', { rttMs: 20 })]), 'far'), ['d']);
  t.strictSame(askedOf(planned({ completion: ['c'] }, [slow, source('far', { rttMs: 20 })]), 'near'), ['c']);
});

t.test(
  'what is on the way from all sources together is bounded by what this node takes in, but for demand',
  async (t) => {
    const sources = Array.from({ length: 20 }, () => source('any', { bytesPerSecond: 1e6 }));
    const wants = (count: number) => Array.from({ length: count }, (_, i) => i);
    const bytesOf = (priority: Priority, bytesPerSecond: number | undefined) => {
      const wanted = { demand: [], prefetch: [], completion: [], repair: [], [priority]: wants(1000) };
      const requests = plan({
        wanted,
        sources,
        chance: () => 'has',
        blockBytes: BLOCK_BYTES,
        bytesPerSecond,
      });
      return requests.reduce((sum, { wants }) => sum + wants.length, 0) * BLOCK_BYTES;
    };
    const whole = wholeWindowBytes(6e6);
    const background = bytesOf('completion', 6e6);
    t.ok(background >= whole && background < whole + BLOCK_BYTES, `${background} of ${whole}`);
    t.ok(bytesOf('demand', 6e6) > 2 * whole);
    t.ok(bytesOf('completion', 200e6) > 2 * whole);
    t.ok(bytesOf('completion', undefined) > 2 * whole);
  },
);
