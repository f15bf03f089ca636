/** `a, b, c and 97 more` */
export function named(names: readonly string[], most = 6): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
}

/** How many batches of a play were not started: `one more batch was not started`. */
export function notStarted(count: number): string {
  return count === 1 ? 'one more batch was not started' : `${count} more batches were not started`;
}
