import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { killShellScript } from '../../../runner/connect/kill-scripts.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';
import { describeShells } from '../../support/shells.ts';
import { processesWith, uniqueSleep, until } from './support/processes.ts';

const runs = (nap: string) => processesWith(`sleep ${nap}`).length;
const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;

describeShells('killShellScript on %s', ({ command }) => {
  const [program, ...words] = command.split(' ') as [string, ...string[]];
  // What it sleeps is in no command line but that of a sleep.
  const start = (script: string, nap: string) =>
    spawn(program, [...words, '-c', script], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, NAP: nap },
    });
  const kill = ({ pid }: ChildProcess) =>
    spawnSync(program, [...words, '-c', killShellScript(pid!)], { encoding: 'utf8' });

  test('ends what runs in sessions of its own, though the shell ends before', needs(missing('setsid')), async () => {
    const nap = uniqueSleep();
    // It waits by itself, so that it heeds TERM at once, and nothing leads from it to the others any more.
    const shell = start(
      `trap 'exit 0' TERM; setsid sh -c 'sleep $NAP; :' & setsid sh -c 'sleep $NAP & wait' & wait`,
      nap,
    );
    await until('both sleep', () => runs(nap) === 2);
    expect(kill(shell)).toMatchObject({ status: 0, stderr: '' });
    await until('nothing is left, stopped or not', () => runs(nap) === 0 && hasEnded(shell));
  });

  test('lets the shell clean up, which begins nothing else', async () => {
    const nap = uniqueSleep();
    const shell = start(`trap 'exit 7' TERM; sleep $NAP; sleep 1$NAP`, nap);
    await until('it sleeps', () => runs(nap) === 1);
    const ended = once(shell, 'exit');
    kill(shell);
    expect(await ended).toEqual([7, null]);
    await until('nothing is left', () => runs(nap) + runs(`1${nap}`) === 0);
  });
});
