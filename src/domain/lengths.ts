/** A length of time as people say it: `5.2 s`, `3 min 20 s`, `2 h 5 min`. */
export function lengthText(ms: number): string {
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** How long somebody asked for: `20 s`, `1 min 30 s`, and from two minutes on whole minutes. */
export function askedText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`;
  const minutes = Math.floor(seconds / 60);
  const rest = seconds % 60;
  return [minutes === 0 ? '' : `${minutes} min`, rest === 0 ? '' : `${rest} s`].filter(Boolean).join(' ');
}
