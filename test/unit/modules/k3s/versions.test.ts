import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  compareK3sVersions,
  hopLine,
  judgeStep,
  parseK3sVersion,
  versionOfOutput,
} from '../../../../modules/shared/k3s-version.ts';

const version = (text: string) => parseK3sVersion(text)!;
const anyVersion = fc
  .tuple(fc.nat(2), fc.nat(40), fc.nat(12), fc.constantFrom('', '-rc1', '-rc2', '-alpha.1'), fc.nat(3))
  .map(([major, minor, patch, pre, build]) =>
    version(`v${major}.${minor}.${patch}${pre}${build ? `+k3s${build}` : ''}`),
  );

describe('the order of k3s versions', () => {
  it.each([
    ['v1.31.5+k3s1', 'v1.31.5+k3s2'],
    ['v1.31.5+k3s9', 'v1.31.5+k3s10'],
    ['v1.31.5+k3s2', 'v1.31.6+k3s1'],
    ['v1.9.0+k3s1', 'v1.10.0+k3s1'],
    ['v1.32.0-rc1+k3s1', 'v1.32.0+k3s1'],
    ['v1.32.0-rc2+k3s1', 'v1.32.0-rc3+k3s1'],
    ['v1.31.9+k3s1', 'v1.32.0-rc1+k3s1'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareK3sVersions(version(older), version(newer))).toBeLessThan(0);
    expect(compareK3sVersions(version(newer), version(older))).toBeGreaterThan(0);
  });

  it('is a total order', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
        expect(compareK3sVersions(a, a)).toBe(0);
        expect(Math.sign(compareK3sVersions(a, b))).toBe(0 - Math.sign(compareK3sVersions(b, a)));
        if (compareK3sVersions(a, b) <= 0 && compareK3sVersions(b, c) <= 0) {
          expect(compareK3sVersions(a, c)).toBeLessThanOrEqual(0);
        }
        if (compareK3sVersions(a, b) === 0) expect(a).toEqual(b);
      }),
    );
  });

  it.each(['', '1.31', 'v1.31.5+rke2r1', 'latest', 'v1.31.5+k3s', 'v1.31.5 +k3s1'])(
    'does not take %j for a version',
    (text) => {
      expect(parseK3sVersion(text)).toBeUndefined();
    },
  );

  it('reads the output of k3s --version', () => {
    expect(versionOfOutput('k3s version v1.31.5+k3s1 (56ec5dd4)\ngo version go1.22.10\n')).toBe('v1.31.5+k3s1');
    expect(versionOfOutput('go version go1.22.10\n')).toBeUndefined();
  });
});

describe('judgeStep', () => {
  const judge = (from: string | undefined, to: string) => judgeStep(from ? version(from) : undefined, version(to));

  it.each([
    [undefined, 'v1.31.5+k3s1', 'fresh', ['v1.31.5+k3s1']],
    ['v1.31.5+k3s1', 'v1.31.5+k3s1', 'same', []],
    ['v1.31.5+k3s1', 'v1.31.5+k3s2', 'upgrade', ['v1.31.5+k3s2']],
    ['v1.31.5+k3s2', 'v1.31.5+k3s1', 'downgrade', []],
    ['v1.30.4+k3s1', 'v1.31.5+k3s1', 'upgrade', ['v1.31.5+k3s1']],
    ['v1.28.9+k3s1', 'v1.30.4+k3s1', 'skips-minor', ['v1.29.x', 'v1.30.4+k3s1']],
    ['v1.33.0+k3s1', 'v2.0.0+k3s1', 'skips-minor', []],
  ])('%s → %s is %s', (from, to, verdict, hops) => {
    expect(judge(from, to)).toEqual({ verdict, hops });
  });

  it('names the newest versions of the hops where they are known', () => {
    const step = judgeStep(version('v1.28.9+k3s1'), version('v1.30.4+k3s1'), (c) =>
      c === 'v1.29' ? 'v1.29.15+k3s1' : undefined,
    );
    expect(hopLine(version('v1.28.9+k3s1'), step)).toBe('v1.28.9+k3s1 → v1.29.15+k3s1 → v1.30.4+k3s1');
  });

  it('gives hops of one minor each', () => {
    fc.assert(
      fc.property(anyVersion, anyVersion, (from, to) => {
        const step = judgeStep(from, to);
        if (!/upgrade|skips-minor/.test(step.verdict) || from.major !== to.major) {
          expect(step.hops).toEqual([]);
          return;
        }
        const minors = [from.minor, ...step.hops.map((hop) => Number(hop.split('.')[1]))];
        for (let i = 1; i < minors.length; i++) expect(minors[i]! - minors[i - 1]!).toBeLessThanOrEqual(1);
        expect(step.hops.at(-1)).toBe(to.text);
      }),
    );
  });
});
