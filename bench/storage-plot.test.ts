import t from 'tap';
import { type Line, plot, stepOf } from './storage-plot.ts';

const line: Line = {
  name: 'largest & <mean>',
  color: '#123456',
  points: [
    { nodes: 2, bytes: 900e6 },
    { nodes: 6, bytes: 300e6 },
    { nodes: 10, bytes: 0, isComputed: true },
  ],
};

t.test('an axis is cut into 4 to 10 parts of a round size', async (t) => {
  t.same([900, 1000, 1999, 2000, 7, 0.3].map(stepOf), [200, 200, 200, 500, 1, 0.05]);
  for (let most = 0.01; most < 1e6; most *= 1.07) {
    const parts = most / stepOf(most);
    if (parts < 4 - 1e-9 || parts > 10 + 1e-9) t.fail(`${most} in ${parts} parts`);
  }
});

t.test('points lie in the plot, in the order of their values', async (t) => {
  const dots = [...plot('Title', [line]).matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"[^>]*#123456/g)];
  const places = dots.map(([, x, y]) => [Number(x), Number(y)] as [number, number]);
  t.equal(places.length, 3);
  const [first, middle, last] = places as [[number, number], [number, number], [number, number]];
  t.equal(middle[0], (first[0] + last[0]) / 2, 'the axis of nodes is even');
  t.equal(Math.round((last[1] - middle[1]) * 3), Math.round(last[1] - first[1]), 'that of bytes is, from 0');
  for (const [x, y] of places) t.ok(x >= 0 && x <= 760 && y >= 0 && y <= 420);
});

t.test('computed points are hollow, an ideal is dashed and has none', async (t) => {
  const svg = plot('Title', [line, { ...line, color: '#abcdef', style: 'dashed' }]);
  t.equal(svg.match(/<circle [^>]*fill="none" stroke="#123456"/g)?.length, 1);
  t.equal(svg.match(/<circle [^>]*fill="#123456"/g)?.length, 2);
  t.notMatch(svg, /<circle [^>]*#abcdef/);
  t.match(svg, /stroke="#abcdef" stroke-width="2" stroke-dasharray/);
});

t.test('names are escaped, and nothing covers the page below', async (t) => {
  const svg = plot('A < B', [line]);
  t.match(svg, 'largest &#38; &#60;mean&#62;');
  t.match(svg, '<title>A &#60; B</title>');
  t.notMatch(svg, '<rect');
});
