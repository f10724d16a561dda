import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  PRESET_VALUES,
  PROCESSING_PARAMETERS,
  PROCESSING_PRESETS,
  processingValueText,
} from '../../../src/domain/processing.ts';

/*
 * The table in docs/processing.md is made here: SUSTAIN_WRITE_DOCS=1 puts a new one in its place.
 */

const page = new URL('../../../docs/processing.md', import.meta.url);
const FROM =
  '<!-- the table: made from src/domain/processing.ts, see test/unit/config/processing-doc.test.ts -->\n';
const TO = '<!-- end of the table -->';
const others = PROCESSING_PRESETS.filter((preset) => preset !== 'music');

function table(): string {
  const head = ['parameter', 'what it is', 'from', 'to', 'music', ...others];
  const rows = PROCESSING_PARAMETERS.map(({ key, unit, minimum, maximum, initial, about }) => {
    const text = (value: number) => processingValueText(unit, value);
    const range = unit === 'switch' ? ['', ''] : [text(minimum), text(maximum)];
    const own = others.map((preset) => {
      const value = PRESET_VALUES[preset][key];
      return value === undefined || value === initial ? '' : text(value);
    });
    return [`\`${key}\``, about, ...range, text(initial), ...own];
  });
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');
}

test('the table in the docs is what the schema says', () => {
  const before = readFileSync(page, 'utf8');
  const [start, end] = [before.indexOf(FROM) + FROM.length, before.indexOf(TO)];
  expect(before.includes(FROM) && end >= start).toBe(true);
  if (process.env['SUSTAIN_WRITE_DOCS'] === '1')
    writeFileSync(page, `${before.slice(0, start)}${table()}${before.slice(end)}`);
  else expect(before.slice(start, end)).toBe(table());
});

test('the latency in the docs is the one of the chain', async () => {
  const { createProcessor } = await import('../../../src/audio/processor.ts');
  const { resolveProcessing } = await import('../../../src/domain/processing.ts');
  const request = { changes: {}, loudnessLufs: null, ceilingDbtp: null, lowestBitrateKbps: null };
  const { latencyFrames } = createProcessor({ values: resolveProcessing({ preset: 'off', ...request }) });
  expect(readFileSync(page, 'utf8')).toContain(`adds ${(latencyFrames / 48_000).toFixed(3)} s`);
});
