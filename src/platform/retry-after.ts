/**
 * How long an answer asks to be left alone, in seconds or as a date (RFC 9110, 10.2.3); null: it doesn't say. A date is
 * compared with the time that the answer itself gives, as our clock may be another.
 */
export function retryAfterMs(headers: Headers, nowUnixMs: number): number | null {
  const header = headers.get('retry-after');
  if (header === null) return null;
  const saidUnixMs = Date.parse(headers.get('date') ?? '');
  const fromUnixMs = Number.isNaN(saidUnixMs) ? nowUnixMs : saidUnixMs;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - fromUnixMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : null;
}
