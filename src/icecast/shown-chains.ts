import { type ChainSign, parseShownValues, shownValues } from '../domain/chain-sign.ts';
import { stationName } from '../domain/ids.ts';

/**
 * What a presence's User-Agent says of its agent's processing chains: nothing, or parts that begin with `; `. What doesn't
 * fit into `mostChars` is left out, values before fingerprints.
 */
export function chainsText(chains: readonly ChainSign[], mostChars: number): string {
  let left = mostChars;
  const fitting = (part: string): string[] => {
    if (part.length > left) return [];
    left -= part.length;
    return [part];
  };
  const shown = chains.flatMap(({ station, fingerprint }) => fitting(`; chain=${station}:${fingerprint}`));
  const values = chains.flatMap(({ station, values }) =>
    values === null ? [] : fitting(`; values=${station}:${shownValues(values)}`),
  );
  return [...shown, ...values].join('');
}

/** Reads them back; what is spoilt is left out. */
export function chainsAmong(parts: readonly string[]): ChainSign[] {
  const shown = (what: string, text: RegExp) =>
    parts.flatMap((part) => {
      const [, name, station, said] = /^([a-z]+)=([a-z0-9-]{1,32}):(.*)$/.exec(part) ?? [];
      return name === what && station !== undefined && said !== undefined && text.test(said)
        ? [[station, said] as const]
        : [];
    });
  const values = new Map(shown('values', /^[\d.,e+-]+$/));
  return shown('chain', /^[0-9a-f]{12}$/).map(([station, fingerprint]) => {
    const said = values.get(station);
    return {
      station: stationName(station),
      fingerprint,
      values: said === undefined ? null : parseShownValues(said),
    };
  });
}
