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
