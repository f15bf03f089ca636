import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { didYouMean, editDistance, nearestName } from '../../../runner/language/nearest.ts';

describe('nearestName', () => {
  it.each([
    ['nam', ['name', 'port'], 'name'],
    ['versoin', ['version', 'versions'], 'version'],
    ['Install-Script', ['install_script'], 'install_script'],
    ['servers', ['server', 'agents'], 'server'],
    ['ab', ['xy', 'cd'], undefined],
    ['a', ['b'], undefined],
    ['completely', ['different'], undefined],
    ['name', ['name'], undefined],
    ['x', [], undefined],
  ])('%s among %j is %s', (word, candidates, nearest) => {
    expect(nearestName(word, candidates)).toBe(nearest);
  });

  it('is worded as a question', () => {
    expect(didYouMean('nam', ['name'])).toBe('did you mean `name`?');
    expect(didYouMean('nam', ['zzz'])).toBeUndefined();
  });
});

describe('editDistance', () => {
  it.each([
    ['', 'abc', 3],
    ['kitten', 'sitting', 3],
    ['ab', 'ba', 1],
    ['same', 'same', 0],
  ])('%s to %s is %d', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is the same both ways and never more than the longer word', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});
