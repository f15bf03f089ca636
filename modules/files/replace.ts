import { defineModule } from '../../runner/module.ts';
import { editArguments, planEdit } from '../shared/edit.ts';
import { compilePattern, patternProblem, replaceAllMatches } from '../shared/pattern.ts';
import { FILE_NEEDS } from '../shared/stat.ts';
import type { TextDocument } from '../shared/text.ts';
import { applyWrite, fileFactsSchema, undoWrite, type WriteStep, type WriteUndo } from '../shared/write.ts';

const { create: _, ...fileArguments } = editArguments;

export const replace = defineModule({
  name: 'replace',
  description: 'Replaces every match of a pattern in a text file.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['path', 'regexp'],
    properties: {
      regexp: {
        type: 'string',
        minLength: 1,
        description: 'Pattern, over the whole text; ^ and $ stand for the ends of lines.',
      },
      replace: {
        type: 'string',
        default: '',
        description: 'What every match becomes; \\1 and \\g<name> are filled from its groups. Empty removes.',
      },
      after: { type: 'string', description: 'Only behind the first match of this pattern.' },
      before: {
        type: 'string',
        description: 'Only up to the first match of this pattern (behind `after`, when given).',
      },
      ...fileArguments,
    },
  },
  examples: [
    {
      title: 'Another registry',
      yaml: "replace: { path: /etc/rancher/k3s/registries.yaml, regexp: 'registry\\.old\\.example', replace: registry.new.example }",
    },
    {
      title: 'In one section only',
      yaml: "replace: { path: /etc/app.ini, after: '^\\[server\\]$', before: '^\\[', regexp: '^port = .*$', replace: port = 8443 }",
    },
  ],
  kind: 'state',
  needs: FILE_NEEDS,
  returns: { type: 'object', additionalProperties: false, properties: fileFactsSchema },
  notes:
    'Patterns are JavaScript regular expressions; `after` and `before` let . match line ends too. When one of those two ' +
    'does not match, nothing is replaced. A replacement that its own pattern would change again is refused.',
  check(args) {
    return patternProblem(args, ['regexp', 'after', 'before']);
  },
  async plan(args, target) {
    const { regexp, replace: replacement, after, before, ...file } = args;
    return planEdit(file, target, (text, document) => {
      const [start, end] = section(text, document, after, before);
      const pattern = compilePattern(document.argument(regexp), 'gm');
      const inside = replaceAllMatches(text.slice(start, end), pattern, document.argument(replacement));
      return text.slice(0, start) + inside + text.slice(end);
    });
  },
  async apply(next: WriteStep, target) {
    const undo = await applyWrite(next, target);
    return { facts: next.facts, ...(undo && { undo }) };
  },
  async undo(undo: WriteUndo, target) {
    await undoWrite(undo, target);
  },
});

/** The part of the text between the two patterns; an empty one when either is not found. */
function section(text: string, document: TextDocument, after?: string, before?: string): [number, number] {
  let start = 0;
  if (after !== undefined) {
    const match = compilePattern(document.argument(after), 'ms').exec(text);
    if (!match) return [0, 0];
    start = match.index + match[0].length;
  }
  if (before === undefined) return [start, text.length];
  const match = compilePattern(document.argument(before), 'ms').exec(text.slice(start));
  return match ? [start, start + match.index] : [0, 0];
}
