import { describe, expect, test } from 'vitest';
import { jsonPatch, mergePatch, strategicMergePatch } from '../../lab/api/patch.ts';

describe('merge patch (RFC 7386)', () => {
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{}, { a: { b: { c: null } } }, { a: { b: {} } }],
    ['foo', { a: 1 }, { a: 1 }],
  ])('%j + %j', (target, patch, result) => expect(mergePatch(target, patch)).toEqual(result));
});

describe('strategic merge patch', () => {
  test.each([
    [
      'cordon',
      { spec: { podCIDR: 'x' } },
      { spec: { unschedulable: true } },
      { spec: { podCIDR: 'x', unschedulable: true } },
    ],
    ['uncordon', { spec: { unschedulable: true } }, { spec: { unschedulable: null } }, { spec: {} }],
    [
      'conditions merge by type',
      {
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'Other', status: 'True' },
        ],
      },
      { conditions: [{ type: 'Ready', status: 'True' }] },
      {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'Other', status: 'True' },
        ],
      },
    ],
    [
      'containers merge by name, env within',
      { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }], image: 'i' }] },
      { containers: [{ name: 'a', env: [{ name: 'Y', value: '2' }] }, { name: 'b' }] },
      {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
            image: 'i',
          },
          { name: 'b' },
        ],
      },
    ],
    ['taints are replaced', { taints: [{ key: 'a' }] }, { taints: [{ key: 'b' }] }, { taints: [{ key: 'b' }] }],
    [
      '$patch: delete',
      { volumes: [{ name: 'a' }, { name: 'b' }] },
      { volumes: [{ name: 'a', $patch: 'delete' }] },
      { volumes: [{ name: 'b' }] },
    ],
    ['$patch: replace', { labels: { a: '1' } }, { labels: { $patch: 'replace', b: '2' } }, { labels: { b: '2' } }],
    [
      '$setElementOrder',
      { containers: [{ name: 'a' }, { name: 'b' }] },
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }], containers: [{ name: 'c' }] },
      { containers: [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
    ],
    [
      '$deleteFromPrimitiveList',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'] },
      { finalizers: ['b'] },
    ],
    [
      '$retainKeys',
      { strategy: { type: 'R', rolling: {} } },
      { strategy: { $retainKeys: ['type'], type: 'S' } },
      { strategy: { type: 'S' } },
    ],
  ])('%s', (_name, target, patch, result) =>
    expect(strategicMergePatch(target as never, patch as never)).toEqual(result),
  );
});

describe('JSON patch (RFC 6902)', () => {
  test.each([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
    [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
    [{ a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
    [{ a: 1 }, [{ op: 'replace', path: '/a', value: [] }], { a: [] }],
    [{ a: [1, 2, 3] }, [{ op: 'replace', path: '/a/1', value: 9 }], { a: [1, 9, 3] }],
    [{ a: { 'x/y~z': 1 } }, [{ op: 'move', from: '/a/x~1y~0z', path: '/b' }], { a: {}, b: 1 }],
    [{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 1 }], { a: 1 }],
  ])('%j %j', (target, patch, result) => expect(jsonPatch(target as never, patch as never)).toEqual(result));

  test.each([
    [{ a: 1 }, [{ op: 'test', path: '/a', value: 2 }]],
    [{ a: 1 }, [{ op: 'remove', path: '/b' }]],
    [{ a: 1 }, [{ op: 'replace', path: '/b', value: 1 }]],
    [{ a: 1 }, [{ op: 'add', path: '/b/c', value: 1 }]],
    [{ a: 1 }, [{ op: 'shout', path: '/a', value: 1 }]],
    [{ a: 1 }, { op: 'add' }],
  ])('%j refuses %j', (target, patch) => expect(() => jsonPatch(target as never, patch as never)).toThrow());

  test('leaves the original alone', () => {
    const target = { a: { b: [1] } };
    jsonPatch(target, [{ op: 'add', path: '/a/b/-', value: 2 }] as never);
    expect(target).toEqual({ a: { b: [1] } });
  });
});
