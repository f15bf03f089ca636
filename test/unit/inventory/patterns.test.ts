import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { limitTerms } from '../../../runner/inventory/limit.ts';
import { splitPattern } from '../../../runner/inventory/patterns.ts';
import { faultsOf, folderWith, inventoryOf } from './support.ts';

const FLEET = '[web]\nweb[1:4]\n[db]\ndb1\nweb2\n[v6]\n2001:db8::1\n2001:db8::2\n';

describe('patterns', () => {
  it.each<[string, string[]]>([
    ['db:web', ['db1', 'web2', 'web1', 'web3', 'web4']],
    ['web3,web1,web3', ['web3', 'web1']],
    ['!web2:web:&db:db1', ['db1']],
    ['&db:web', ['web2']],
    ['web[1:]', ['web2', 'web3', 'web4']],
    ['web[-1]', ['web4']],
    ['web[2:0]', ['web3']],
    // web2 stands there for both of its groups, before doubles are taken out.
    ['*b*[4:6]', ['db1', 'web2', 'web1']],
    ['2001:db8::1', ['2001:db8::1']],
    ['2001:db8::2,web1', ['2001:db8::2', 'web1']],
    ['~web[12]$', ['web1', 'web2']],
    ['~(?i)WEB1', ['web1']],
    ['web[!1-3]', ['web4']],
    ['nothing*', []],
  ])('%s', (pattern, hosts) => expect(inventoryOf(FLEET).match(pattern)).toEqual(hosts));

  it.each([
    ['web:!', 'a name belongs behind it: `!web1`'],
    ['wbe', 'did you mean web?'],
    ['web:!wbe', 'did you mean web?'],
    ['web1:web2,db', 'use commas only'],
    ['web[9]', undefined],
    ['~(', undefined],
  ])('%s is an error', (pattern, hint) => {
    const [fault] = faultsOf(() => inventoryOf(FLEET).match(pattern));
    if (hint) expect(fault?.hint).toContain(hint);
  });

  it.each<[string, string[]]>([
    ['a:b', ['a', 'b']],
    ['a:b,c', ['a:b', 'c']],
    ['::1', ['::1']],
    ['web[1:3]:db', ['web[1:3]', 'db']],
    ['a b', ['a', 'b']],
  ])('%s is divided', (pattern, terms) => expect(splitPattern(pattern)).toEqual(terms));
});

it.each(['', ' , ', '@FOLDER/empty', '@FOLDER/empty,!web4', '@'])('--limit %j names no host: an error', (limit) => {
  const folder = folderWith({ empty: '\n \n' });
  const [fault] = faultsOf(() => limitTerms([limit.replace('FOLDER', folder)]));
  expect(fault).toMatchObject({ code: 'no-hosts', hint: expect.stringContaining('leave --limit out') });
});

it('--limit reads the lines of a file as terms', () => {
  const folder = folderWith({});
  writeFileSync(join(folder, 'retry'), 'web2\n\n  web4 \n');
  const terms = limitTerms([`@${join(folder, 'retry')}`, '!web4']);
  expect(inventoryOf(FLEET).match(terms)).toEqual(['web2']);
  expect(faultsOf(() => limitTerms(['@/nowhere']))[0]?.code).toBe('file-not-found');
});
