// The few options of curl that the lab's install script uses, for machines with neither curl nor wget.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    output: { type: 'string', short: 'o' },
    'write-out': { type: 'string', short: 'w' },
    silent: { type: 'boolean', short: 's' },
    'show-error': { type: 'boolean', short: 'S' },
    fail: { type: 'boolean', short: 'f' },
    location: { type: 'boolean', short: 'L' },
  },
});

const url = positionals[0];
if (!url) {
  console.error('curl: no URL specified!');
  process.exit(2);
}
try {
  const response = await fetch(url, { redirect: values.location ? 'follow' : 'manual' });
  if (values.fail && response.status >= 400) {
    if (values['show-error']) console.error(`curl: (22) The requested URL returned error: ${response.status}`);
    process.exit(22);
  }
  const body = Buffer.from(await response.arrayBuffer());
  if (values.output) writeFileSync(values.output, body);
  else process.stdout.write(body);
  if (values['write-out']) process.stdout.write(values['write-out'].replace('%{url_effective}', response.url || url));
} catch (error) {
  if (!values.silent || values['show-error']) console.error(`curl: (7) Failed to connect: ${error}`);
  process.exit(7);
}
