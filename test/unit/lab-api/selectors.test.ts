import { describe, expect, test } from 'vitest';
import type { KubeObject } from '../../lab/api/objects.ts';
import { quantity, scaledValue } from '../../lab/api/quantity.ts';
import { builtInResources, Registry } from '../../lab/api/resources.ts';
import { matchesSelector, parseFieldSelector, parseLabelSelector } from '../../lab/api/selectors.ts';

const labelled = (labels: Record<string, string>): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', labels },
});

describe('label selectors', () => {
  test.each([
    ['', true],
    ['app=web', true],
    ['app==web', true],
    ['app!=web', false],
    ['app!=db', true],
    ['missing!=db', true],
    ['app', true],
    ['!app', false],
    ['!missing', true],
    ['app in (db, web)', true],
    ['app notin (db,web)', false],
    ['missing notin (db)', true],
    ['app=web,tier=front', true],
    ['app=web,tier=back', false],
    ['node-role.kubernetes.io/control-plane=', false],
  ])('%s → %s', (text, expected) =>
    expect(parseLabelSelector(text)(labelled({ app: 'web', tier: 'front' }))).toBe(expected),
  );

  test('an unreadable one is a bad request', () => {
    expect(() => parseLabelSelector('a in b')).toThrow('unable to parse requirement');
  });
});

describe('selectors in specs', () => {
  test('an empty one matches everything, none matches nothing', () => {
    expect(matchesSelector({}, {})).toBe(true);
    expect(matchesSelector(undefined, { a: 'b' })).toBe(false);
  });

  test.each([
    ['In', ['web'], true],
    ['NotIn', ['web'], false],
    ['Exists', [], true],
    ['DoesNotExist', [], false],
  ])('%s %j → %s', (operator, values, expected) => {
    expect(matchesSelector({ matchExpressions: [{ key: 'app', operator, values }] }, { app: 'web' })).toBe(expected);
  });
});

describe('field selectors', () => {
  const registry = new Registry(builtInResources);
  const pods = registry.named('pods');
  const pod: KubeObject = { ...labelled({}), spec: { nodeName: 'a1' }, status: { phase: 'Running' } };

  test.each([
    ['spec.nodeName=a1', true],
    ['spec.nodeName!=a1', false],
    ['metadata.name=p,status.phase=Running', true],
    ['spec.nodeName=a1,status.phase!=Running', false],
  ])('%s → %s', (text, expected) => expect(parseFieldSelector(text, pods)(pod)).toBe(expected));

  test('an unset flag reads as false', () => {
    const node: KubeObject = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a1' }, spec: {} };
    expect(parseFieldSelector('spec.unschedulable=false', registry.named('nodes'))(node)).toBe(true);
  });

  test('fields that the real server cannot select on are refused', () => {
    expect(() => parseFieldSelector('spec.hostname=x', pods)).toThrow('field label not supported: spec.hostname');
  });
});

describe('quantities', () => {
  test.each([
    ['500m', 0.5],
    ['2', 2],
    ['1Ki', 1024],
    ['1k', 1000],
    ['1.5Gi', 1.5 * 2 ** 30],
    ['1e3', 1000],
    ['2M', 2e6],
  ])('%s is %d', (text, value) => expect(quantity(text)).toBeCloseTo(value));

  test('what is no quantity is an error', () => expect(() => quantity('much')).toThrow(TypeError));
});

test.each([
  ['50%', 3, 2],
  ['0%', 3, 0],
  ['100%', 3, 3],
  [2, 9, 2],
])('%s of %d is %d', (value, total, expected) => expect(scaledValue(value, total)).toBe(expected));
