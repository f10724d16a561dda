// Line charts as SVG text: dark on light, with colours and marks that people who see few colours tell apart.

/**
 * @typedef {{ x: number, y: number }} Point
 * @typedef {{ name: string, points: readonly Point[] }} Series
 * @typedef {{ title: string, xLabel: string, yLabel: string, series: readonly Series[] }} Chart
 */

// Okabe and Ito's colours, those that are dark enough for lines on white.
const COLOURS = ['#0072b2', '#d55e00', '#007a5a', '#a3518a'];
const MARKS = [
  (x, y) => `<circle cx="${x}" cy="${y}" r="5"/>`,
  (x, y) => `<rect x="${x - 4.5}" y="${y - 4.5}" width="9" height="9"/>`,
  (x, y) => `<path d="M${x} ${y - 6}l5.5 10h-11z"/>`,
  (x, y) => `<path d="M${x} ${y - 6.5}l6 6.5l-6 6.5l-6 -6.5z"/>`,
];
const PANEL = { width: 520, height: 400 };
const EDGE = { left: 72, right: 24, top: 48, bottom: 56 };
const LEGEND_ROW = 24;
const MOST_TICKS = 7;
/** More points than this are a curve, and marks on it would hide it. */
const MOST_MARKED = 40;

const escapeXml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const at = (value) => Math.round(value * 10) / 10;

/** Round numbers from 0 to just past the highest value. */
function ticksTo(highest) {
  const power = 10 ** Math.floor(Math.log10(highest / MOST_TICKS));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => highest / size <= MOST_TICKS);
  const ticks = [0];
  while (ticks.at(-1) < highest) ticks.push(Number((ticks.at(-1) + step).toPrecision(6)));
  return ticks;
}

function axes(chart, scale, xTicks, yTicks) {
  const right = PANEL.width - EDGE.right;
  const bottom = PANEL.height - EDGE.bottom;
  const grid = yTicks.map((tick) => {
    const y = at(scale.y(tick));
    return `<path d="M${EDGE.left} ${y}H${right}" stroke="#dddddd"/><text x="${EDGE.left - 8}" y="${y + 4}" text-anchor="end">${tick}</text>`;
  });
  const below = xTicks.map((tick) => {
    const x = at(scale.x(tick));
    return `<path d="M${x} ${bottom}v5" stroke="#333333"/><text x="${x}" y="${bottom + 20}" text-anchor="middle">${tick}</text>`;
  });
  const middle = (EDGE.top + bottom) / 2;
  return [
    `<text x="${EDGE.left}" y="26" font-size="16" font-weight="bold">${escapeXml(chart.title)}</text>`,
    ...grid,
    ...below,
    `<path d="M${EDGE.left} ${EDGE.top}V${bottom}H${right}" fill="none" stroke="#333333"/>`,
    `<text x="${(EDGE.left + right) / 2}" y="${PANEL.height - 12}" text-anchor="middle">${escapeXml(chart.xLabel)}</text>`,
    `<text transform="translate(18 ${middle}) rotate(-90)" text-anchor="middle">${escapeXml(chart.yLabel)}</text>`,
  ];
}

function line(series, index, scale) {
  const colour = COLOURS[index % COLOURS.length];
  const places = series.points.map(({ x, y }) => [at(scale.x(x)), at(scale.y(y))]);
  const path = places.map(([x, y], place) => `${place === 0 ? 'M' : 'L'}${x} ${y}`).join('');
  const mark = MARKS[index % MARKS.length];
  const marks = places.length > MOST_MARKED ? '' : places.map(([x, y]) => mark(x, y)).join('');
  return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2.5"/><g fill="${colour}">${marks}</g>`;
}

/** One chart. Where it stands among others is up to `chartsSvg`. */
function panel(chart) {
  const points = chart.series.flatMap((series) => series.points);
  const yTicks = ticksTo(Math.max(...points.map(({ y }) => y), 1e-6));
  const xHighest = Math.max(...points.map(({ x }) => x));
  const xTicks = ticksTo(xHighest).filter((tick) => tick <= xHighest);
  const width = PANEL.width - EDGE.left - EDGE.right;
  const height = PANEL.height - EDGE.top - EDGE.bottom;
  const scale = {
    x: (value) => EDGE.left + (width * value) / xHighest,
    y: (value) => EDGE.top + height * (1 - value / yTicks.at(-1)),
  };
  const lines = chart.series.map((series, index) => line(series, index, scale));
  return [...axes(chart, scale, xTicks, yTicks), ...lines].join('\n');
}

function legend(names, top) {
  return names.map((name, index) => {
    const y = top + index * LEGEND_ROW;
    const colour = COLOURS[index % COLOURS.length];
    const key = `<path d="M${EDGE.left} ${y}h36" stroke="${colour}" stroke-width="2.5"/><g fill="${colour}">${MARKS[index % MARKS.length](EDGE.left + 18, y)}</g>`;
    return `${key}<text x="${EDGE.left + 46}" y="${y + 4}">${escapeXml(name)}</text>`;
  });
}

/**
 * Charts side by side with one legend for all, so each must have the same series in the same order.
 *
 * @param {readonly Chart[]} charts
 */
export function chartsSvg(charts) {
  const names = charts[0].series.map(({ name }) => name);
  const width = PANEL.width * charts.length;
  const height = PANEL.height + names.length * LEGEND_ROW + 16;
  const panels = charts.map(
    (chart, index) => `<g transform="translate(${index * PANEL.width} 0)">${panel(chart)}</g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Helvetica, Arial, sans-serif" font-size="13" fill="#222222" role="img">
<title>${escapeXml(charts.map(({ title }) => title).join('; '))}</title>
<rect width="${width}" height="${height}" fill="#ffffff"/>
${panels.join('\n')}
${legend(names, PANEL.height + 8).join('\n')}
</svg>
`;
}
