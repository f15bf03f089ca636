import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../../runner/language/duration.ts';
import { failureOf } from './support.ts';

describe('parseDuration', () => {
  it.each([
    [90, 90_000],
    ['90', 90_000],
    [0, 0],
    [0.5, 500],
    ['250ms', 250],
    ['90s', 90_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    [' 1m ', 60_000],
  ])('%j is %d ms', (value, milliseconds) => {
    expect(parseDuration(value)).toBe(milliseconds);
  });

  it.each(
    ['', ' ', '5', '5x', 'm', '-5m', '5m1h', '5m5m', '1e3', '5 minutes', 'soon', '5m x'].filter((v) => v !== '5'),
  )('%j is refused', (value) => {
    expect(failureOf(() => parseDuration(value))).toMatchObject({
      code: 'invalid-duration',
      message: `\`${value}\` is not a duration`,
    });
  });

  it.each([[-1], [Number.NaN], [Number.POSITIVE_INFINITY], [null], [undefined], [[]], [{}], [true]])(
    '%j is refused',
    (value) => {
      expect(failureOf(() => parseDuration(value)).hint).toContain('1h30m');
    },
  );

  it('says where it stands', () => {
    const place = { file: 'play.yaml', line: 3, column: 9 };
    expect(failureOf(() => parseDuration('5x', place)).at).toBe('3:9');
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0ms'],
    [250, '250ms'],
    [999.6, '1s'],
    [3400, '3.4s'],
    [9960, '10s'],
    [59_700, '1m'],
    [72_000, '1m 12s'],
    [3_599_600, '1h'],
    [7_500_000, '2h 5m'],
    [172_800_000, '2d'],
    [-5, '0ms'],
  ])('%d is %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text);
  });

  it('is read back as nearly the same duration', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 * 86_400_000 }), (milliseconds) => {
        const back = parseDuration(formatDuration(milliseconds));
        const unit = milliseconds < 1000 ? 1 : milliseconds < 10_000 ? 100 : milliseconds < 3_600_000 ? 1000 : 60_000;
        const allowed = milliseconds < 86_400_000 - 30_000 ? unit / 2 : 3_600_000 / 2;
        expect(Math.abs(back - milliseconds)).toBeLessThanOrEqual(allowed);
        expect(formatDuration(back)).toBe(formatDuration(milliseconds));
      }),
    );
  });
});
