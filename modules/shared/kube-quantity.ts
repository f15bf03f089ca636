/** Suffixes of a quantity (kubernetes/apimachinery pkg/api/resource). */
const SUFFIXES: Record<string, number> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
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

/** `500m` → 0.5, `1Gi` → 1073741824, `1e3` → 1000; 0 for what is no quantity. */
export function quantity(text: unknown): number {
  const match = /^([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)([a-zA-Z]{0,2})$/.exec(String(text ?? '').trim());
  const factor = match && SUFFIXES[match[2]!];
  return match && factor !== undefined && factor !== null ? Number(match[1]) * factor : 0;
}
