import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import { ROOT } from './program.ts';

/** How many of the slowest files are listed, when REEVE_SLOWEST does not say. */
const SLOWEST = 0;

/**
 * After the tests: what was skipped and why, the slowest files where REEVE_SLOWEST asks for some, and for each test
 * that failed the command that repeats it alone.
 */
export default class Summary implements Reporter {
  #isPart = false;

  onInit({ config }: Vitest): void {
    this.#isPart = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = [...(this.#isPart ? [] : skippedLines(modules)), ...slowestLines(modules), ...failedLines(modules)];
    if (lines.length > 0) console.log(`\n${lines.join('\n')}`);
  }
}

function skippedLines(modules: readonly TestModule[]): string[] {
  const counts = new Map<string, number>();
  for (const test of modules.flatMap((module) => [...module.children.allTests('skipped')])) {
    const reason = reasonOf(test);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return sorted.map(([reason, count]) => `${count} skipped: ${reason}`);
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  const note = result.state === 'skipped' ? result.note : undefined;
  return test.meta().lacks ?? note ?? `no reason given (${relative(ROOT, test.module.moduleId)}: ${test.fullName})`;
}

function slowestLines(modules: readonly TestModule[]): string[] {
  const count = Number(process.env.REEVE_SLOWEST ?? SLOWEST);
  const timed = modules.map((module) => ({ file: fileOf(module), seconds: module.diagnostic().duration / 1000 }));
  const slowest = timed.sort((a, b) => b.seconds - a.seconds).slice(0, count);
  return slowest.length === 0
    ? []
    : ['the slowest files:', ...slowest.map(({ file, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${file}`)];
}

function failedLines(modules: readonly TestModule[]): string[] {
  const failed = modules.flatMap((module) => {
    const tests = [...module.children.allTests('failed')].map((test) => repeat(module, nameOf(test)));
    return tests.length > 0 || module.ok() ? tests : [repeat(module)];
  });
  return failed.length === 0 ? [] : ['failed; each alone by:', ...failed];
}

function repeat(module: TestModule, name?: string): string {
  const mode = process.env.REEVE_TESTS === 'all' ? ' --mode all' : '';
  const filter = name === undefined ? '' : ` -t ${quoted(name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))}`;
  return `  npx vitest run${mode} ${fileOf(module)}${filter}`;
}

/** As vitest's `-t` sees it: its suites and itself, with a space between. */
function nameOf(test: TestCase | TestSuite): string {
  return test.parent.type === 'module' ? test.name : `${nameOf(test.parent)} ${test.name}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fileOf(module: TestModule): string {
  return relative(ROOT, module.moduleId);
}
