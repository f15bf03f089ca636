/**
 * Packages that are in the published program itself, since every run loads them and they are many small files, or since a
 * small part of a large package is wanted. The others are installed beside it: they are loaded late, by few commands, or have
 * a part that is compiled where they are installed.
 */
export const BUNDLED: readonly string[] = [
  '@kubernetes/client-node',
  '@marcbachmann/cel-js',
  'cac',
  'diff',
  'handlebars',
  'semver',
  'ssh-config',
  'yaml',
];
