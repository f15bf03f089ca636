import { describe, expect, it } from 'vitest';
import { cutBatches, orderHosts } from '../../../runner/execute/batches.ts';

const TEN = Array.from({ length: 10 }, (_, i) => `h${i}`);

describe('cutBatches', () => {
  it.each([
    [undefined, [10]],
    [1, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [3, [3, 3, 3, 1]],
    ['3', [3, 3, 3, 1]],
    ['25%', [2, 2, 2, 2, 2]],
    ['1%', [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
    [
      [1, '50%', '100%'],
      [1, 5, 4],
    ],
    [
      [1, 2],
      [1, 2, 2, 2, 2, 1],
    ],
    [99, [10]],
  ])('serial %j gives batches of %j', (serial, sizes) => {
    const batches = cutBatches(TEN, serial);
    expect(batches.map((batch) => batch.length)).toEqual(sizes);
    expect(batches.flat()).toEqual(TEN);
  });

  it('leaves batches that have begun as they were, less those who are gone, and cuts the rest as they would follow', () => {
    const begun = [['h3'], ['h1', 'h7', 'gone'], ['gone-too']];
    const batches = cutBatches(TEN, [1, 3], begun);
    expect(batches.slice(0, 3)).toEqual([['h3'], ['h1', 'h7'], []]);
    expect(batches.slice(3)).toEqual([['h0', 'h2', 'h4'], ['h5', 'h6', 'h8'], ['h9']]);
    // Percents are of all who ever took part.
    expect(cutBatches(TEN.slice(2), '20%', [['h0', 'h1']]).slice(1)).toEqual([
      ['h2', 'h3'],
      ['h4', 'h5'],
      ['h6', 'h7'],
      ['h8', 'h9'],
    ]);
    expect(cutBatches(TEN, 1, [TEN])[0]).toEqual(['h0']);
    expect(cutBatches(TEN, undefined, [['h3']])).toEqual([TEN]);
  });

  it.each([0, -1, 1.5, 'many', '0%', null, [], ''])('refuses %j', (serial) => {
    expect(() => cutBatches(TEN, serial)).toThrow(/serial is/);
  });
});

describe('orderHosts', () => {
  it('orders by inventory or name, forwards and backwards, and loses nobody when it shuffles', () => {
    const hosts = ['b', 'c', 'a'];
    expect(orderHosts(hosts, 'inventory')).toEqual(['b', 'c', 'a']);
    expect(orderHosts(hosts, 'reverse_inventory')).toEqual(['a', 'c', 'b']);
    expect(orderHosts(hosts, 'sorted')).toEqual(['a', 'b', 'c']);
    expect(orderHosts(hosts, 'reverse_sorted')).toEqual(['c', 'b', 'a']);
    expect(orderHosts(TEN, 'shuffle').toSorted()).toEqual(TEN);
  });
});
