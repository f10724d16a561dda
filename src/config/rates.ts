import { readConfigText } from './files.ts';
import type { Problem } from './problems.ts';
import { type Rates, ratesSchema } from './schema/rates.ts';
import { nearest } from './suggest.ts';
import { validateAs } from './validate.ts';
import { readYaml } from './yaml.ts';

export type LoadedRates =
  | { readonly ok: true; readonly rates: Rates }
  | { readonly ok: false; readonly faults: readonly Problem[] };

/** Reads `rates.yaml`. `causes`: the kinds of fault that there are. */
export async function loadRates(file: string, causes: readonly string[]): Promise<LoadedRates> {
  const read = await readConfigText(file);
  if (!read.ok)
    return { ok: false, faults: [{ line: read.line, column: 1, path: '', message: read.message }] };
  return loadRatesText(read.text, causes);
}

export function loadRatesText(text: string, causes: readonly string[]): LoadedRates {
  const yaml = readYaml(text);
  if (!yaml.ok) return { ok: false, faults: yaml.faults };
  const { tree, locate } = yaml;
  const validated = validateAs(ratesSchema, tree, locate);
  const faults = [...yaml.faults, ...(validated.ok ? [] : validated.faults)];
  if (!validated.ok || faults.length > 0) return { ok: false, faults };
  const rates = validated.parsed;
  const wrong = Object.entries(rates.faults ?? {}).flatMap(([id, { median, long }]): Problem[] => {
    const path = ['faults', id];
    const at = (message: string): Problem => ({ ...locate(path), path: path.join('.'), message });
    if (!causes.includes(id)) {
      const meant = nearest(id, causes);
      return [
        at(
          `is no kind of fault: ${meant === null ? `there are ${causes.join(', ')}` : `did you mean ${meant}?`}`,
        ),
      ];
    }
    if (median !== undefined && long !== undefined && long < median)
      return [at('has a long that is shorter than its median: all but one in twenty are over by long')];
    return [];
  });
  return wrong.length > 0 ? { ok: false, faults: wrong } : { ok: true, rates };
}
