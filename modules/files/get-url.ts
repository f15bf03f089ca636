import { defineModule, type Plan, type ReadTarget, TaskFailure } from '../../runner/module.ts';
import { foresee } from '../shared/foresee.ts';
import { modeArgument } from '../shared/mode.ts';
import { FILE_NEEDS, type FileState, probeFiles } from '../shared/stat.ts';
import {
  applyWrite,
  factsOf,
  fileFactsSchema,
  plannedUndo,
  planWrite,
  sha256Of,
  undoWrite,
  type WantedFile,
  type WriteStep,
  type WriteUndo,
  warnWithoutParent,
  writeArguments,
} from '../shared/write.ts';

/** What is downloaded where: in apply, unless plan had to do it to know whether anything changes. */
interface Download {
  url: string;
  headers?: Record<string, string>;
  verify: boolean;
  sha256?: string;
}
type Step = { write: WriteStep } | { download: Download; state: FileState; wanted: Omit<WantedFile, 'content'> };

export const getUrl = defineModule({
  name: 'get-url',
  description: 'Downloads a file on the control machine and puts it on the target.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['url', 'dest'],
    properties: {
      url: { type: 'string', pattern: '^https?://', description: 'Where it comes from.' },
      dest: {
        type: 'string',
        minLength: 1,
        description: 'Path on the target. When it is a directory, the file gets the last part of the URL as its name.',
      },
      checksum: {
        type: 'string',
        pattern: '^(sha256:)?[0-9a-fA-F]{64}$',
        description: 'SHA-256 that the file must have. A file on the target that has it is not downloaded again.',
      },
      force: {
        type: 'boolean',
        default: false,
        description: 'Without a checksum: download each time and compare. Otherwise a file that exists is left alone.',
      },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        writeOnly: true,
        description: 'Headers of the request.',
      },
      verify: { type: 'boolean', default: true, description: "Check the server's certificate." },
      mode: modeArgument,
      ...writeArguments,
    },
  },
  examples: [
    {
      title: 'A program, pinned',
      yaml: 'get-url: { url: "https://example.org/tool-1.2", dest: /usr/local/bin/tool, mode: "0755", checksum: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" }',
    },
    {
      title: 'A list that changes',
      yaml: 'get-url: { url: "https://example.org/hosts.txt", dest: /etc/hosts.blocked, force: true }',
    },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: { type: 'object', additionalProperties: false, properties: fileFactsSchema },
  notes:
    'The target needs no way out to the internet. While planning nothing is downloaded, except with `force: true` and no ' +
    'checksum, where there is no other way to know.',
  async plan(args, target): Promise<Plan<Step>> {
    const { url, dest, checksum, force, headers, verify, ...wanted } = args;
    const sha256 = checksum?.replace('sha256:', '').toLowerCase();
    const download = { url, verify, ...(headers && { headers }), ...(sha256 !== undefined && { sha256 }) };
    const state = await findFile(dest, url, target);
    const upToDate = state.real !== undefined && (sha256 === undefined ? !force : state.sha256 === sha256);
    if (upToDate || (state.real && sha256 === undefined)) {
      const content = upToDate ? undefined : await fetchFile(download, target);
      const { changes, step, facts } = planWrite(state, { ...wanted, content });
      if (!step) return { changes, facts };
      return {
        changes,
        predicted: facts,
        foresees: foresee(target, { [step.path]: step.after }),
        next: { write: step },
        undo: plannedUndo(step, target),
      };
    }
    warnWithoutParent(state, target);
    return {
      changes: [
        {
          summary: `${state.path}: ${state.real ? 'content' : 'create'} from ${withoutQuery(url)}`,
          before: state.real ? { size: state.real.size, sha256: state.sha256 } : null,
          after: sha256 === undefined ? {} : { sha256 },
        },
      ],
      predicted: { path: state.path, ...(sha256 !== undefined && { sha256 }) },
      next: { download, state, wanted },
    };
  },
  async apply(next: Step, target) {
    const step = 'write' in next ? next.write : await downloadedStep(next, target);
    if (!step) return { facts: 'state' in next ? factsOf(next.state) : {} };
    const undo = await applyWrite(step, target);
    return { facts: step.facts, ...(undo && { undo }) };
  },
  async undo(undo: WriteUndo, target) {
    await undoWrite(undo, target);
  },
});

async function downloadedStep(next: Extract<Step, { download: Download }>, target: ReadTarget) {
  const content = await fetchFile(next.download, target);
  return planWrite(next.state, { ...next.wanted, content }).step;
}

async function findFile(dest: string, url: string, target: ReadTarget): Promise<FileState> {
  const name = decodeURIComponent(new URL(url).pathname.split('/').at(-1) ?? '').replaceAll('/', '_') || 'index.html';
  const within = `${dest.replace(/\/+$/, '')}/${name}`;
  const [at, inside] = await probeFiles(target, [
    { path: dest, hash: true },
    { path: within, hash: true },
  ]);
  return at!.real?.type === 'directory' || dest.endsWith('/') ? inside! : at!;
}

/** @throws TaskFailure `download-failed` for any status but 200, and `checksum-mismatch`. */
async function fetchFile(download: Download, target: ReadTarget): Promise<Buffer> {
  const { url, headers, verify, sha256 } = download;
  const answer = await target.http({ url, verify, timeout: target.remaining(), ...(headers && { headers }) });
  if (answer.status !== 200) {
    throw new TaskFailure(`${withoutQuery(url)} answered ${answer.status}`, { code: 'download-failed' });
  }
  const found = sha256Of(answer.body);
  if (sha256 !== undefined && found !== sha256) {
    throw new TaskFailure(`${withoutQuery(url)} has the SHA-256 ${found}, wanted is ${sha256}`, {
      code: 'checksum-mismatch',
      hint: 'nothing was written; check both the URL and the checksum',
    });
  }
  return answer.body;
}

/** A query may hold a signature or a token. */
function withoutQuery(url: string): string {
  return url.replace(/[?#].*/s, '');
}
