import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';

/** Loading reads it once more after it met a secret. */
it('a pipe can be read twice', () => {
  const script = `import { readText } from '${new URL('../../../runner/load/read-text.ts', import.meta.url).href}';
    console.log(JSON.stringify([readText('/dev/stdin'), readText('/dev/stdin')]));`;
  const piped = `echo 'version: 2' | "$0" --input-type=module -e "$1"`;
  const printed = execFileSync('sh', ['-c', piped, process.execPath, script], { encoding: 'utf8' });
  expect(JSON.parse(printed)).toEqual(['version: 2\n', 'version: 2\n']);
});
