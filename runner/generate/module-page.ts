import type { AnyModule } from '../module.ts';
import type { Registry } from '../playbook/registry.ts';
import type { JsonSchema } from '../schema-types.ts';
import { HEADER } from './header.ts';
import { propertyRows, table } from './markdown.ts';

const KINDS = {
  state: 'State: brings the host into the wanted state; a second run changes nothing.',
  action: 'Action: does something each time its guard allows it.',
  check: 'Check: looks, and never changes anything.',
} as const;

const WHERE = {
  host: 'On the host, over its shell.',
  control: 'On the control machine; needs no connection.',
  cluster: 'On the cluster, over the Kubernetes API.',
} as const;

/** The docs page of a module, in Markdown; all of it comes from the module itself. */
export function modulePage(module: AnyModule): string {
  const parts = [
    `<!-- ${HEADER} -->`,
    `# ${module.name}`,
    module.description,
    `${KINDS[module.kind]}${module.guard ? ` ${module.guard}` : ''} ${WHERE[module.on ?? 'host']}`,
    needs(module),
    '## Arguments',
    argumentsOf(module),
    '## Examples',
    ...module.examples.map(({ title, yaml }) => `${title}:\n\n\`\`\`yaml\n${asTask(yaml)}\n\`\`\``),
    '## What `register` gets',
    'Beside `changed`, `failed`, `skipped`, `unknown` and `message`:',
    table(['Fact', 'Type', '', 'Description'], propertyRows(module.returns as JsonSchema)) || 'nothing more.',
    ...(module.undo ? ['A rollback takes back what it did.'] : []),
    ...(module.noUndo === undefined ? [] : [`A rollback does not take it back: ${module.noUndo}.`]),
    ...(module.notes ? ['## Notes', module.notes] : []),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The list of all modules, with a link to the page of each. */
export function moduleIndex(registry: Registry): string {
  const names = [...registry.keys()].sort();
  const rows = names.map((name) => {
    const { kind, on = 'host', description } = registry.get(name)!;
    return [`[${name}](${name}.md)`, kind, on, description];
  });
  const intro = names.length === 0 ? 'None yet.' : `${names.length} modules; each page is made from the module itself.`;
  return `<!-- ${HEADER} -->\n\n# Modules\n\n${intro}\n\n${table(['Module', 'Kind', 'Works on', 'What it does'], rows)}\n`;
}

function needs(module: AnyModule): string {
  return module.needs?.length ? `Needs on the target: ${module.needs.map((name) => `\`${name}\``).join(', ')}.` : '';
}

function argumentsOf(module: AnyModule): string {
  const rows = propertyRows(module.args as JsonSchema);
  const list = table(['Argument', 'Type', 'Default', 'Description'], rows) || 'It takes none by name.';
  return module.shorthand ? `${list}\n\nPlain text in place of the arguments is \`${module.shorthand}\`.` : list;
}

function asTask(yaml: string): string {
  return yaml
    .trimEnd()
    .split('\n')
    .map((line, index) => (index === 0 ? `- ${line}` : line === '' ? '' : `  ${line}`))
    .join('\n');
}
