import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { LEAST_LUFS, type Mark } from '../text/history.ts';

/** Room beside the plot itself, in CSS pixels; the strips under it keep the same. */
export const leftPx = () =>
  (46 * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)) / 16;
export const RIGHT_PX = 12;

export interface PlotOptions {
  readonly target: HTMLElement;
  readonly width: number;
  readonly height: number;
  readonly series: readonly string[];
  readonly fromSeconds: number;
  readonly toSeconds: number;
  readonly marks: () => readonly Mark[];
}

const DASHES: readonly number[][] = [[], [8, 4], [2, 3], [12, 3, 2, 3]];

/** Loudness over time, with a line and a number at each switch. */
export function drawPlot(options: PlotOptions, data: [number[], ...(number | null)[][]]): uPlot {
  const style = getComputedStyle(document.documentElement);
  const ink = (name: string) => style.getPropertyValue(name).trim();
  const unit = Number.parseFloat(style.fontSize) / 16;
  const sized = (px: number) => `${Math.round(px * unit)}px ${style.fontFamily}`;
  const font = sized(12);
  const axis: uPlot.Axis = {
    stroke: ink('--dim'),
    font,
    grid: { stroke: ink('--line'), width: 1 },
    ticks: { stroke: ink('--line'), width: 1 },
  };
  return new uPlot(
    {
      width: options.width,
      height: options.height,
      padding: [22 * unit, RIGHT_PX, 0, 0],
      cursor: { y: false },
      scales: {
        x: { range: () => [options.fromSeconds, options.toSeconds] },
        y: { range: () => [LEAST_LUFS, 0] },
      },
      axes: [
        { ...axis, values: '{HH}:{mm}', space: 70 * unit, size: 34 * unit },
        { ...axis, size: leftPx(), splits: () => [-60, -50, -40, -30, -20, -10, 0] },
      ],
      series: [
        { value: '{HH}:{mm}:{ss}', label: 'time' },
        ...options.series.map((label, index) => ({
          label,
          stroke: ink(`--series-${(index % 4) + 1}`),
          dash: DASHES[index % DASHES.length] ?? [],
          width: 2,
          points: { show: false },
          value: (_: uPlot, lufs: number | null) =>
            lufs === null ? '–' : lufs <= LEAST_LUFS ? 'silence' : `${lufs.toFixed(1)} LUFS`,
        })),
      ],
      hooks: { draw: [(plot) => drawMarks(plot, options.marks(), ink, unit, style.fontFamily)] },
    },
    data,
    options.target,
  );
}

function drawMarks(
  plot: uPlot,
  marks: readonly Mark[],
  ink: (name: string) => string,
  unit: number,
  family: string,
): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio * unit;
  ctx.save();
  ctx.font = `${11 * scale}px ${family}`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const { at, number, isFault } of marks) {
    const x = Math.round(plot.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    const colour = ink(isFault ? '--bad' : '--text');
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = 1.5 * scale;
    ctx.setLineDash(isFault ? [] : [5 * scale, 4 * scale]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(x, bbox.top - 10 * scale, 9 * scale, 0, 2 * Math.PI);
    ctx.fill();
    ctx.fillStyle = ink('--panel');
    ctx.fillText(String(number), x, bbox.top - 10 * scale);
  }
  ctx.restore();
}
