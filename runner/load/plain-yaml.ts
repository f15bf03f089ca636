import { isScalar, parseDocument, visit } from 'yaml';

/**
 * A value of the command line: what reads as plain YAML is that, and all else (a template, a tag) is the text that it is,
 * since such values are data.
 */
export function plainYaml(text: string): unknown {
  const yaml = parseDocument(text, { logLevel: 'silent' });
  const odd = [...yaml.errors, ...yaml.warnings].map(({ message }) => message);
  visit(yaml, {
    Pair(_, { key }) {
      if (!isScalar(key)) odd.push('a key that is no text');
    },
  });
  try {
    return odd.length > 0 ? text : (yaml.toJS() ?? text);
  } catch {
    return text;
  }
}
