import type { StationConfig } from '../config/index.ts';

/** A public mount, and the source it can fall back on; null where none of its codec is known. */
export interface PlannedNet {
  readonly mount: string;
  readonly codec: string;
  readonly source: string | null;
  /** Nobody could say what the sources are encoded as. */
  readonly isGuess: boolean;
}

/** Listeners can only be carried over to the same codec: players go by what the stream was when they joined. */
const TYPES_OF: Readonly<Record<string, RegExp>> = {
  mp3: /^audio\/(mpeg|mp3|x-mp3)/i,
  aac: /^audio\/aacp?/i,
  opus: /ogg|opus/i,
  vorbis: /ogg|vorbis/i,
};

/** The net under each public mount of a station; `types`: what each mount on the server says that it is. */
export function planNets(
  { sources, serve }: StationConfig,
  types: ReadonlyMap<string, string>,
): readonly PlannedNet[] {
  if (serve.mode !== 'relay') return [];
  const known = sources.filter((source) => types.has(source.mount));
  const isGuess = known.length === 0;
  return serve.outputs.map(({ mount, codec }) => {
    const fits = known.find((source) => TYPES_OF[codec]?.test(types.get(source.mount) ?? ''));
    const source = isGuess && codec === 'mp3' ? sources[0] : fits;
    return { mount, codec, source: source?.mount ?? null, isGuess };
  });
}

export function withoutNet({ mount, codec, isGuess }: PlannedNet): string {
  const why = isGuess ? 'what its sources are could not be asked' : `no source is ${codec}`;
  return `${mount} gets no net: listeners can only be carried over to the same codec, and ${why}`;
}

/** Where listeners of a mount may be sent, one after the other; a circle ends where it closes. */
export function fallbackChain(
  mount: string,
  next: (mount: string) => string | null | undefined,
): readonly string[] {
  const chain: string[] = [];
  for (let at = next(mount); at != null && at !== mount && !chain.includes(at); at = next(at)) chain.push(at);
  return chain;
}
