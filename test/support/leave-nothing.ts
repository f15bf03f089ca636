import { afterAll, beforeAll, expect } from 'vitest';

/*
 * Set up for every file: a worker goes on with the next one, which must find the process as this one did. What a file leaves in
 * the environment is put back, and is a failure of that file.
 */
let before: NodeJS.ProcessEnv;
let folder: string;
beforeAll(() => {
  before = { ...process.env };
  folder = process.cwd();
});
afterAll(() => {
  const [after, cwd] = [{ ...process.env }, process.cwd()];
  for (const name of Object.keys(after)) if (!(name in before)) delete process.env[name];
  Object.assign(process.env, before);
  process.chdir(folder);
  expect([after, cwd], 'the environment and the working folder, as this file leaves them').toEqual([before, folder]);
});
