/** A duration for people: `0.4 s`, `12 s`, `3m 05s`, `1h 02m`. */
export function shownDuration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  const two = (n: number) => String(n).padStart(2, '0');
  if (minutes < 60) return `${minutes}m ${two(seconds % 60)}s`;
  return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
}

/** How long something has been running, in whole seconds with two blanks before; nothing in the first second. */
export function elapsed(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 1) return '';
  return `  ${seconds < 60 ? `${seconds} s` : shownDuration(seconds * 1_000)}`;
}
