#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

enableCompileCache?.();
// A reader that has gone away (`| head`, a closed terminal) must not end a run in the middle of its work.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const { main } = await import('./app.ts');
process.exitCode = await main(process.argv);
// All is closed by now and the process ends by itself. Should something hold it up nevertheless, this does not wait for it.
setTimeout(() => process.exit(), 3_000).unref();
