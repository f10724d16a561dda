import type { StationConfig } from '../config/index.ts';

/** Silence is found a little after its trip delay, as readings wait for their proof of position. */
const MARGIN_MS = 3000;

/** How far behind the live sound a station's public mounts run, in ms. */
export function relayDelayMs(serve: StationConfig['serve'], tripMs: number): number {
  return serve.delayMs ?? tripMs + MARGIN_MS;
}

/** The longest trip delay whose silences are found before they are played. */
export const fittingTripMs = (delayMs: number): number => delayMs - MARGIN_MS;
