import { buildProgram } from './build-program.ts';
import { PROGRAM } from './program.ts';

/** Before the first test file: the program that tests start as processes. Workers get it by the environment. */
export default async function setUp(): Promise<void> {
  process.env[PROGRAM] ??= await buildProgram();
}
