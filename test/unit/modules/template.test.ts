import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { template } from '../../../modules/files/template.ts';
import { localTarget } from '../../support/local-target.ts';
import { fillArgs, type ModuleCase, moduleSuite } from '../../support/module-suite.ts';

const target = { render: (text: string) => text.replace('{{name}}', 'grün') };
const before = (_: string, control: string) => writeFileSync(join(control, 'app.conf.hbs'), 'name = {{name}}\n');

const cases: ModuleCase[] = [
  {
    title: 'renders into a new file',
    args: { src: 'app.conf.hbs', dest: 'ROOT/app.conf', mode: '0600' },
    before,
    target,
    changes: ['ROOT/app.conf: create'],
    facts: { path: 'ROOT/app.conf', mode: '0600', size: 13 },
    after: (root) => expect(readFileSync(join(root, 'app.conf'), 'utf8')).toBe('name = grün\n'),
  },
  {
    title: 'into a directory, without .hbs',
    args: { src: 'app.conf.hbs', dest: 'ROOT/etc' },
    before: (root, control) => {
      before(root, control);
      mkdirSync(join(root, 'etc'));
    },
    target,
    changes: ['ROOT/etc/app.conf: create'],
  },
  {
    title: 'already there',
    args: { src: 'app.conf.hbs', dest: 'ROOT/app.conf' },
    before: (root, control) => {
      before(root, control);
      writeFileSync(join(root, 'app.conf'), 'name = grün\n');
    },
    target,
    changes: [],
  },
];

moduleSuite(template, cases);

test('a template with a value not known yet is unknown, without a look at the target', async () => {
  const local = localTarget({ render: () => undefined });
  writeFileSync(join(local.control, 't.hbs'), '{{later}}');
  const plan = await template.plan(fillArgs(template, { src: 't.hbs', dest: '/x' }) as never, local.read);
  expect(plan).toEqual({ changes: [], unknown: 't.hbs uses a value that is not known yet' });
  expect(local.roundTrips).toBe(0);
  local.dispose();
});
