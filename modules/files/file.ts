import { type Change, defineModule, type Plan, type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { attributesNow, attributesScript, planOwner, removeDirectories, runOrFail } from '../shared/attributes.ts';
import { type ForeseenPath, foresee, withForeseen } from '../shared/foresee.ts';
import {
  isBackScript,
  isUntouchedScript,
  type KeptEntry,
  keepScript,
  keptUndoScript,
  placeToKeep,
} from '../shared/keep.ts';
import { formatMode, modeArgument, resolveMode } from '../shared/mode.ts';
import { quotePath } from '../shared/quote.ts';
import { LIST_SCRIPT, type ListedEntry, parseList, planRecursive } from '../shared/recurse.ts';
import {
  type Attributes,
  FILE_NEEDS,
  type FileState,
  parseProbes,
  probeFile,
  probeScript,
  refuseBlocked,
  withoutSlash,
} from '../shared/stat.ts';
import { attributesChange, warnWithoutParent, writeArguments } from '../shared/write.ts';

interface Step {
  path: string;
  script: string;
  /** Script that takes it back. */
  back?: string;
  /** Directories that are made on the way. */
  above?: string[];
  /** A new file, which is empty. */
  empty?: boolean;
  facts: Facts;
}
type Undo = { path: string; script: string };
type Facts = ReturnType<typeof factsFor>;
type Wanted = { mode?: string; owner?: string; group?: string };

/** Removing these is never what somebody meant. */
const PROTECTED = /^\/*(bin|boot|dev|etc|home|lib|lib64|opt|proc|root|run|sbin|srv|sys|tmp|usr|var)?\/*$/;
/** A removed file up to this size is kept for undo; megabytes beyond it are more likely removed to gain space. */
const KEPT_SIZE = 10 * 1024 * 1024;

export const file = defineModule({
  name: 'file',
  description: 'Makes and removes files and directories, and sets their permissions and owner.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['path'],
    properties: {
      path: { type: 'string', minLength: 1, description: 'Path on the target.' },
      state: {
        type: 'string',
        enum: ['file', 'directory', 'touch', 'absent'],
        description:
          'directory makes it with all above it; touch makes an empty file when there is none; absent removes it with ' +
          'all in it; file and no state at all only set permissions and owner of what is there. For links see `link`.',
      },
      mode: modeArgument,
      owner: writeArguments.owner,
      group: writeArguments.group,
      recurse: {
        type: 'boolean',
        default: false,
        description: 'Set mode, owner and group of all in the directory too; links in it are left alone.',
      },
      backup: {
        type: 'boolean',
        description:
          'Keep what is removed on the target, so that a rollback can put it back. Default: files up to 10 MiB and links are kept, directories are not.',
      },
    },
  },
  examples: [
    { title: 'A directory', yaml: 'file: { path: /etc/rancher/k3s, state: directory, mode: "0755" }' },
    { title: 'Nobody else reads the token', yaml: 'file: { path: /etc/rancher/k3s/token, mode: "go=" }' },
    { title: 'Gone', yaml: 'file: { path: /etc/cron.d/old-job, state: absent }' },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: {
    type: 'object',
    additionalProperties: false,
    properties: {
      path: { type: 'string', description: 'Absolute path.' },
      exists: { type: 'boolean', description: 'False after absent.' },
      type: {
        type: ['string', 'null'],
        description: 'file, directory, …; links are followed. Null when it does not exist.',
      },
      mode: { type: ['string', 'null'], description: 'Permissions, four octal digits.' },
      owner: { type: ['string', 'null'], description: 'Owner; as given when the task sets it.' },
      group: { type: ['string', 'null'], description: 'Group; as given when the task sets it.' },
    },
  },
  notes:
    'Unlike in Ansible, touch leaves the times of a file that exists alone, so that a second run changes nothing. ' +
    'Links are followed, except by absent, which removes the link itself. Directories of the system (/etc, /usr …) are never removed.',
  check(args) {
    const path = String(args.path);
    if (args.state === 'absent' && (PROTECTED.test(path) || /(^|\/)\.\.?\/*$/.test(path)))
      return `${path} is never removed`;
    if (args.recurse && args.state !== undefined && args.state !== 'directory')
      return 'recurse goes with state: directory';
    if (args.state === 'absent' && (args.mode ?? args.owner ?? args.group) !== undefined) {
      return 'mode, owner and group have no meaning with state: absent';
    }
    return undefined;
  },
  async plan(args, target): Promise<Plan<Step>> {
    const { mode, owner, group } = args;
    const wanted: Wanted = {
      ...(mode !== undefined && { mode }),
      ...(owner !== undefined && { owner }),
      ...(group !== undefined && { group }),
    };
    const { state, rest } = await look(args, target);
    if (args.state === 'absent') return foreseeing(planAbsent(state, args.backup, target), target);
    if (!state.real) return foreseeing(planNew(state, args.state, wanted, target), target);
    refuseOtherTypes(state, args.state);
    return foreseeing(planAttributes(state, state.real, wanted, args.recurse ? parseList(rest) : []), target);
  },
  async apply(next: Step, target) {
    const { path, script, back, facts } = next;
    await runOrFail(target, script, path);
    return { facts, ...(back !== undefined && { undo: { path, script: back } }) };
  },
  async undo(undo: Undo, target) {
    await runOrFail(target, undo.script, undo.path);
  },
});

async function look(args: { path: string; recurse: boolean }, target: ReadTarget) {
  const path = withoutSlash(args.path);
  if (!args.recurse) return { state: await probeFile(target, { path }), rest: Buffer.alloc(0) };
  const { script, options } = probeScript([{ path }]);
  const result = await target.read(script + LIST_SCRIPT, options);
  const { states, rest } = parseProbes(result.raw.stdout, 1);
  if (!states[0]) throw new TaskFailure(`${path} could not be looked at: ${result.stderr.trim()}`);
  return { state: withForeseen(states[0], target), rest };
}

/** Adds to a plan its way back, as far as it is known, and what later plans will find; directories above a new one become what it is. */
function foreseeing(plan: Plan<Step>, target: ReadTarget): Plan<Step> {
  if (!plan.next) return plan;
  const { path, back, facts, above = [] } = plan.next;
  const planned = { ...plan, ...(back !== undefined && { undo: { path, script: back } }) };
  const { type, mode, owner, group } = facts;
  if (type !== null && type !== 'file' && type !== 'directory') return planned;
  const after: ForeseenPath =
    type === null
      ? { type: 'absent' }
      : {
          type,
          mode: Number.parseInt(mode!, 8),
          owner: owner!,
          group: group!,
          ...(plan.next.empty && { content: Buffer.alloc(0) }),
        };
  return { ...planned, foresees: foresee(target, Object.fromEntries([...above, path].map((each) => [each, after]))) };
}

function factsFor(
  path: string,
  found: { type: string; mode: number; owner: string; group: string } | undefined,
  wanted: Wanted = {},
) {
  return {
    path,
    exists: found !== undefined,
    type: found?.type ?? null,
    mode: found ? formatMode(found.mode) : null,
    owner: wanted.owner ?? found?.owner ?? null,
    group: wanted.group ?? found?.group ?? null,
  };
}

function planAbsent(state: FileState, backup: boolean | undefined, target: ReadTarget): Plan<Step> {
  const facts = factsFor(state.path, undefined);
  const { entry } = state;
  if (!entry) return { changes: [], facts };
  const keeps = backup ?? (entry.type === 'link' || (entry.type === 'file' && entry.size <= KEPT_SIZE));
  const kept = keeps ? placeToKeep(state.path, target) : undefined;
  // Without -r a directory that took the place of a file since the plan is left alone.
  const remove = `rm ${entry.type === 'directory' ? '-rf' : '-f'} ${quotePath(state.path)}`;
  return {
    changes: [{ summary: `${state.path}: remove ${entry.type}`, before: { type: entry.type }, after: null }],
    predicted: facts,
    next: {
      path: state.path,
      script: kept ? `${keepScript(kept)}\n${remove}` : remove,
      ...(kept && { back: restoreScript(kept) }),
      facts,
    },
  };
}

function restoreScript(kept: KeptEntry): string {
  const path = quotePath(kept.path);
  return `{ ${isBackScript(kept)} || ${isUntouchedScript(kept)}; } && exit 0
if [ -e ${path} ] || [ -L ${path} ]; then echo 'it exists again; it is left as it is' >&2; exit 1; fi
${keptUndoScript(kept)}`;
}

function planNew(state: FileState, wantedState: string | undefined, wanted: Wanted, target: ReadTarget): Plan<Step> {
  if (wantedState !== 'directory' && wantedState !== 'touch') {
    throw new TaskFailure(`${state.path} does not exist`, {
      code: 'file-missing',
      hint: 'state: touch makes an empty file, state: directory a directory; `copy` writes content',
    });
  }
  if (state.entry) {
    throw new TaskFailure(`${state.path} is a link that leads nowhere`, { code: 'not-a-file' });
  }
  refuseBlocked(state);
  const directory = wantedState === 'directory';
  const newcomer = state.newcomer ?? { mode: 0o644, directoryMode: 0o755, owner: '', group: '' };
  const plain = directory ? newcomer.directoryMode : newcomer.mode;
  const bits = wanted.mode === undefined ? plain : resolveMode(wanted.mode, plain, directory);
  const facts = factsFor(state.path, { ...newcomer, type: directory ? 'directory' : 'file', mode: bits }, wanted);
  const attributes = { ...wanted, ...(wanted.mode !== undefined && { mode: formatMode(bits) }) };
  const paths = directory ? [...(state.missing ?? []), state.path] : [state.path];
  if (!directory) warnWithoutParent(state, target);
  const steps = paths.flatMap((path) => {
    const set = attributesScript(path, attributes);
    // With -C nothing that appeared meanwhile is emptied.
    return [
      directory ? `mkdir ${quotePath(path)}` : `(umask 022; set -C; : >${quotePath(path)})`,
      ...(set ? [set] : []),
    ];
  });
  const path = quotePath(state.path);
  const back = directory
    ? removeDirectories(paths)
    : `{ [ ! -s ${path} ] || { echo 'it is no longer empty' >&2; false; }; } && rm -f ${path}`;
  return {
    changes: paths.map((path) => ({
      summary: `${path}: create ${directory ? 'directory' : 'file'}`,
      before: null,
      after: { type: facts.type },
    })),
    predicted: facts,
    next: {
      path: state.path,
      script: steps.join(' && '),
      back,
      above: paths.slice(0, -1),
      empty: !directory,
      facts,
    },
  };
}

function refuseOtherTypes(state: FileState, wanted: string | undefined): void {
  const type = state.real!.type;
  const fits = wanted === undefined || (wanted === 'directory' ? type === 'directory' : type !== 'directory');
  if (!fits) {
    throw new TaskFailure(`${state.path} is a ${type}, not a ${wanted === 'touch' ? 'file' : wanted}`, {
      code: 'not-a-file',
      hint: 'remove it first, with state: absent',
    });
  }
}

function planAttributes(state: FileState, present: Attributes, wanted: Wanted, below: ListedEntry[]): Plan<Step> {
  const bits =
    wanted.mode === undefined ? present.mode : resolveMode(wanted.mode, present.mode, present.type === 'directory');
  const differing = { ...planOwner(present, wanted), ...(bits !== present.mode && { mode: formatMode(bits) }) };
  const owner = planOwner(present, wanted);
  const facts = factsFor(state.path, { ...present, mode: bits }, owner);
  const changes: Change[] = [];
  const scripts: string[] = [];
  const back: string[] = [];
  if (Object.keys(differing).length > 0) {
    changes.push(attributesChange(state.path, present, differing));
    scripts.push(attributesScript(state.path, differing));
    const { path, ...before } = attributesNow(state.path, present);
    back.push(attributesScript(path, before));
  }
  const inside = planRecursive(state.path, below, wanted);
  if (inside) {
    changes.push(inside.change);
    scripts.push(...inside.scripts);
    back.unshift(...inside.back);
  }
  if (changes.length === 0) return { changes, facts };
  return {
    changes,
    predicted: facts,
    next: { path: state.path, script: scripts.join(' && '), back: back.join(' && '), facts },
  };
}
