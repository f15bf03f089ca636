import { basename } from 'node:path';
import { defineModule } from '../../runner/module.ts';
import { findDestination } from '../shared/destination.ts';
import { modeArgument } from '../shared/mode.ts';
import { FILE_NEEDS } from '../shared/stat.ts';
import {
  applyWrite,
  factsOf,
  fileFactsSchema,
  planWrite,
  undoWrite,
  type WriteStep,
  type WriteUndo,
  warnWithoutParent,
  writeArguments,
  writePlan,
} from '../shared/write.ts';

export const template = defineModule({
  name: 'template',
  description: 'Renders a Handlebars template of the control machine into a file on the target.',
  args: {
    type: 'object',
    additionalProperties: false,
    required: ['src', 'dest'],
    properties: {
      src: { type: 'string', minLength: 1, description: 'Template, found beside the playbook or in its `templates/`.' },
      dest: {
        type: 'string',
        minLength: 1,
        description: 'Path on the target. When it is a directory, the file gets the name of src in it, without .hbs.',
      },
      mode: modeArgument,
      force: {
        type: 'boolean',
        default: true,
        description: 'Replace a file whose content differs; false leaves a file that exists alone.',
      },
      ...writeArguments,
    },
  },
  examples: [
    {
      title: 'The configuration of k3s',
      yaml: 'template: { src: config.yaml.hbs, dest: /etc/rancher/k3s/config.yaml, mode: "0600" }',
    },
    {
      title: 'Checked before it takes its place',
      yaml: 'template: { src: haproxy.cfg.hbs, dest: /etc/haproxy/haproxy.cfg, owner: root, validate: "haproxy -c -f %s" }',
    },
  ],
  kind: 'state',
  templateSources: ['src'],
  needs: FILE_NEEDS,
  returns: { type: 'object', additionalProperties: false, properties: fileFactsSchema },
  notes: 'Links at dest are followed. A file that changed between plan and apply is left alone and the task fails.',
  async plan(args, target) {
    const { src, dest, force, ...wanted } = args;
    const text = await target.renderSource(src);
    if (text === undefined) return { changes: [], unknown: `${src} uses a value that is not known yet` };
    const content = Buffer.from(text);
    const state = await findDestination(dest, basename(src).replace(/\.hbs$/, ''), content, target);
    if (state.real && !force) return { changes: [], facts: factsOf(state), message: `${state.path} exists` };
    const { changes, step, facts } = planWrite(state, { ...wanted, content });
    if (!step) return { changes, facts };
    warnWithoutParent(state, target);
    return writePlan(changes, step, target);
  },
  async apply(next: WriteStep, target) {
    const undo = await applyWrite(next, target);
    return { facts: next.facts, ...(undo && { undo }) };
  },
  async undo(undo: WriteUndo, target) {
    await undoWrite(undo, target);
  },
});
