import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { gitState } from '../../../runner/journal/git-state.ts';
import { missing } from '../../support/missing.ts';
import { needs } from '../../support/needs.ts';

describe('gitState', needs(missing('git')), () => {
  let folder: string;
  const git = (...args: string[]) => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    return execFileSync('git', ['-C', folder, ...who, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'reeve-git-'));
    git('init', '-q', '-b', 'trunk/one');
    mkdirSync(join(folder, 'plays'));
    writeFileSync(join(folder, 'plays/a.yaml'), 'a');
    writeFileSync(join(folder, 'other'), 'a');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('tells nothing before the first commit, and outside of a repository', async () => {
    expect(await gitState(join(folder, 'plays'))).toBeUndefined();
    rmSync(join(folder, '.git'), { recursive: true });
    expect(await gitState(folder)).toBeUndefined();
  });

  it('tells commit and branch, and what was changed in the folder', async () => {
    git('add', '.');
    git('commit', '-qm', 'one');
    const commit = git('rev-parse', 'HEAD');
    const plays = join(folder, 'plays');
    writeFileSync(join(plays, 'not-added'), 'b');
    writeFileSync(join(folder, 'other'), 'changed elsewhere');
    expect(await gitState(plays)).toEqual({ commit, branch: 'trunk/one', dirty: false });
    writeFileSync(join(plays, 'a.yaml'), 'b');
    expect(await gitState(plays)).toEqual({ commit, branch: 'trunk/one', dirty: true });
    git('checkout', '-q', '--detach');
    expect(await gitState(plays)).toEqual({ commit, branch: 'HEAD', dirty: true });
  });

  it('sees the repository behind a link, from a linked working tree, and where GIT_DIR says it is', async () => {
    git('add', '.');
    git('commit', '-qm', 'one');
    const commit = git('rev-parse', 'HEAD');
    const elsewhere = mkdtempSync(join(tmpdir(), 'reeve-git-'));
    symlinkSync(join(folder, 'plays'), join(elsewhere, 'link'));
    expect(await gitState(join(elsewhere, 'link'))).toMatchObject({ commit, branch: 'trunk/one' });
    git('worktree', 'add', '-q', '-b', 'other', join(elsewhere, 'tree'));
    expect(await gitState(join(elsewhere, 'tree/plays'))).toMatchObject({ commit, branch: 'other' });
    expect(await gitState(elsewhere)).toBeUndefined();
    process.env.GIT_DIR = join(folder, '.git');
    expect(await gitState(elsewhere).finally(() => delete process.env.GIT_DIR)).toMatchObject({ commit });
    rmSync(elsewhere, { recursive: true });
  });
});
