const FACTORS: Record<string, number> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** A resource quantity (`500m`, `2Gi`, `1e3`) as a plain number. @throws TypeError when it is none */
export function quantity(text: string | number): number {
  const match = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([numkMGTPE]i?|[KMGTPE]i)?$/.exec(String(text));
  const factor = match && FACTORS[match[2] ?? ''];
  if (!factor) throw new TypeError(`"${text}" is no resource quantity`);
  return Number(match[1]) * factor;
}

/**
 * A number or a percentage of `total`, rounded up, as disruption budgets count.
 * @throws TypeError when the text is no percentage
 */
export function scaledValue(value: number | string, total: number): number {
  if (typeof value === 'number') return value;
  const match = /^(\d+)%$/.exec(value);
  if (!match) throw new TypeError(`invalid value for IntOrString: invalid type: string is not a percentage`);
  return Math.ceil((Number(match[1]) * total) / 100);
}
