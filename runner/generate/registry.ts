import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { HEADER } from './header.ts';

/** One module's file; the file's name is the module's name. */
interface ModuleFile {
  name: string;
  family: string;
  /** The name it exports: the module's name in camel case. */
  exported: string;
}

/** The text of `modules/index.ts`: every module below `modules/`, the shared helpers left out. */
export function registrySource(root: string): string {
  const files = findModules(join(root, 'modules'));
  const imports = files.map(({ name, family, exported }) => `import { ${exported} } from './${family}/${name}.ts';\n`);
  const entries = files.map(({ exported }) => `  ${exported},\n`);
  return [
    `// ${HEADER}\n`,
    "import type { AnyModule } from '../runner/module.ts';\n",
    ...imports,
    `\nconst all: readonly AnyModule[] = [\n${entries.join('')}];\n`,
    '\n/** Every module by its name. */\n',
    'export const modules: ReadonlyMap<string, AnyModule> = new Map(all.map((module) => [module.name, module]));\n',
  ].join('');
}

/** Families and modules in alphabetical order. A file that does not export its module under its own name is an error. */
function findModules(folder: string): ModuleFile[] {
  if (!existsSync(folder)) return [];
  const families = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'shared')
    .map((entry) => entry.name)
    .sort();
  return families.flatMap((family) =>
    readdirSync(join(folder, family))
      .filter((file) => file.endsWith('.ts'))
      .map((file) => basename(file, '.ts'))
      // Without the ending, as the linter orders imports: wait-for before wait-for-connection.
      .sort()
      .map((name) => readModule(join(folder, family, `${name}.ts`), family)),
  );
}

function readModule(path: string, family: string): ModuleFile {
  const name = basename(path, '.ts');
  const exported = name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  if (!readFileSync(path, 'utf8').includes(`export const ${exported} = defineModule(`)) {
    throw new Error(
      `${path} must say \`export const ${exported} = defineModule(…)\`; helpers belong into modules/shared/`,
    );
  }
  return { name, family, exported };
}
