import { CEL_ADDITIONS } from '../language/cel-environment.ts';
import { BLOCKS, HELPERS } from '../language/helpers.ts';
import { INPUT_SCHEMA } from '../playbook/inputs.ts';
import { KEYWORDS, keywordsOf, type Level } from '../playbook/keywords.ts';
import { describeSchema } from '../validate/schema/describe.ts';
import { HEADER } from './header.ts';
import { propertyRows, table } from './markdown.ts';

const LEVELS: readonly [Level, string][] = [
  ['playbook', 'Playbook'],
  ['play', 'Play'],
  ['task', 'Task'],
  ['handler', 'Handler'],
  ['block', 'Block'],
  ['include', 'Include'],
];

const READINGS: Record<string, string> = {
  template: 'template',
  condition: 'CEL',
  loop: 'list, mapping or CEL',
  vars: 'variables',
};

/** docs/keywords.md: every keyword, by where it may stand. */
export function keywordsPage(): string {
  const sections = LEVELS.map(([level, title]) => {
    const rows = [...keywordsOf(level).values()].map((keyword) => [
      `\`${keyword.name}\``,
      keyword.expects ?? describeSchema(keyword.schema),
      READINGS[keyword.reads] ?? '',
      `${keyword.description}${keyword.ansible ? ` In Ansible: \`${keyword.ansible}\`.` : ''}`,
    ]);
    return `## ${title}\n\n${table(['Keyword', 'Value', 'Read as', 'Description'], rows)}`;
  });
  const inputs = table(['Key', 'Value', '', 'Description'], propertyRows(INPUT_SCHEMA));
  const loops = table(
    ['Key', 'Value', '', 'Description'],
    propertyRows(keywordsOf('task').get('loop_control')!.schema),
  );
  sections.push(`## An input\n\n${inputs}`, `## \`loop_control\`\n\n${loops}`);
  const intro = `${new Set(KEYWORDS.map((keyword) => keyword.name)).size} keywords. A task has one module beside them; see \`docs/modules/\`.`;
  return `<!-- ${HEADER} -->\n\n# Keywords\n\n${intro}\n\n${sections.join('\n\n')}\n`;
}

/** docs/helpers.md: what templates and expressions can call. */
export function helpersPage(): string {
  const helpers = HELPERS.map(({ usage, description, example }) => [
    `\`{{${usage}}}\``,
    description,
    `\`${example.template}\` gives \`${example.result}\``,
  ]);
  const blocks = BLOCKS.map(({ usage, description }) => [`\`${usage}\``, description]);
  const functions = CEL_ADDITIONS.map(({ usage, description }) => [`\`${usage}\``, description]);
  return (
    [
      `<!-- ${HEADER} -->`,
      '# Helpers',
      '## In templates',
      table(['Helper', 'What it gives', 'Example'], helpers),
      '## Blocks in templates',
      table(['Block', 'What it does'], blocks),
      '## In expressions, beside CEL’s own functions',
      table(['Function', 'What it gives'], functions),
    ].join('\n\n') + '\n'
  );
}
