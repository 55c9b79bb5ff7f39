/**
 * Lines over the number of nodes, as an SVG that stands in a page of any colour: no background of its own, and greys and
 * colours that are legible on white and on black. Pure.
 */

export interface Point {
  nodes: number;
  bytes: number;
  /** Drawn hollow: worked out, not measured. */
  isComputed?: boolean;
}

export interface Line {
  name: string;
  color: string;
  points: readonly Point[];
  /** `dots`: what it is about. `thin`: beside that. `dashed`: a bound or an ideal. Default: dots. */
  style?: 'dots' | 'thin' | 'dashed';
}

const SIZE = { width: 760, height: 420 };
const PLOT = { left: 64, right: 16, top: 116, bottom: 48 };
export const GREY = '#808080';
const LEGEND = { top: 44, row: 20, column: 350 };

/** A step of 1, 2 or 5 times a power of ten that cuts the axis into 4 to 10 parts. */
export function stepOf(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const fits = [5, 2, 1].find((times) => times * power <= most / 4);
  return (fits ?? 1) * power;
}

export function plot(title: string, lines: readonly Line[]): string {
  const points = lines.flatMap((line) => line.points);
  const nodes = points.map((point) => point.nodes);
  const [first, last] = [Math.min(...nodes), Math.max(...nodes)];
  const most = Math.max(...points.map(({ bytes }) => bytes)) / 1e6;
  const step = stepOf(most);
  const top = Math.ceil(most / step) * step;
  const x = (count: number) =>
    PLOT.left + ((count - first) / (last - first)) * (SIZE.width - PLOT.left - PLOT.right);
  const y = (bytes: number) =>
    SIZE.height - PLOT.bottom - (bytes / 1e6 / top) * (SIZE.height - PLOT.top - PLOT.bottom);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="13" fill="${GREY}">`,
    `<title>${escaped(title)}</title>`,
    text(PLOT.left, 20, title, 'font-size="15" font-weight="600"'),
    ...grid(step, top, y),
    ...range(first, last).map((count) =>
      text(x(count), SIZE.height - PLOT.bottom + 18, String(count), 'text-anchor="middle"'),
    ),
    text(
      (PLOT.left + SIZE.width - PLOT.right) / 2,
      SIZE.height - 10,
      'nodes in the cluster',
      'text-anchor="middle"',
    ),
    text(16, PLOT.top - 14, 'MB a node'),
    ...lines.flatMap((line) => drawn(line, x, y)),
    ...legend(lines),
    '</svg>\n',
  ].join('\n');
}

function grid(step: number, top: number, y: (bytes: number) => number): string[] {
  return range(0, Math.round(top / step)).flatMap((i) => {
    const at = fixed(y(i * step * 1e6));
    return [
      `<path d="M${PLOT.left} ${at}H${SIZE.width - PLOT.right}" stroke="${GREY}" stroke-opacity="${i === 0 ? 0.8 : 0.25}"/>`,
      text(PLOT.left - 8, Number(at) + 4, String(i * step), 'text-anchor="end"'),
    ];
  });
}

type Scale = (value: number) => number;

function drawn({ color, points, style = 'dots' }: Line, x: Scale, y: Scale): string[] {
  const at = points.map(({ nodes, bytes }) => `${fixed(x(nodes))} ${fixed(y(bytes))}`);
  const path = `<path d="M${at.join('L')}" fill="none" ${stroke(color, style)}/>`;
  if (style !== 'dots') return [path];
  return [path, ...points.map((point) => dot(x(point.nodes), y(point.bytes), color, point.isComputed))];
}

function stroke(color: string, style: Line['style']): string {
  const dashes = style === 'dashed' ? ' stroke-dasharray="6 5"' : '';
  return `stroke="${color}" stroke-width="${style === 'thin' ? 1.5 : 2}"${dashes}`;
}

function dot(x: number, y: number, color: string, isHollow = false): string {
  return `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="4" fill="${isHollow ? 'none' : color}" stroke="${color}" stroke-width="1.5"/>`;
}

/** Two columns below the title, the dots' meaning last. */
function legend(lines: readonly Line[]): string[] {
  const left = (i: number) => PLOT.left + (i % 2) * LEGEND.column;
  const at = (i: number) => LEGEND.top + Math.floor(i / 2) * LEGEND.row;
  const last = lines.length;
  return [
    ...lines.flatMap(({ name, color, style }, i) => [
      `<path d="M${left(i)} ${at(i) - 4}h26" ${stroke(color, style)}/>`,
      text(left(i) + 34, at(i), name),
    ]),
    dot(left(last) + 6, at(last) - 4, GREY),
    text(left(last) + 16, at(last), 'measured'),
    dot(left(last) + 98, at(last) - 4, GREY, true),
    text(left(last) + 108, at(last), 'computed'),
  ];
}

function text(x: number, y: number, words: string, attributes = ''): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}"${attributes && ` ${attributes}`}>${escaped(words)}</text>`;
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => from + i);

const fixed = (value: number): string => String(Math.round(value * 10) / 10);

const escaped = (words: string): string => words.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
