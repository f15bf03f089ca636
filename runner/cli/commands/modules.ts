import { modules as registry } from '../../../modules/index.ts';
import { EXIT } from '../../errors.ts';

/** `reeve modules`: every module with its sentence. */
export async function modules(options: Record<string, unknown>): Promise<number> {
  const rows = [...registry.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  if (options.json) {
    console.log(
      JSON.stringify(
        rows.map(({ name, kind, description }) => ({ name, kind, description })),
        undefined,
        2,
      ),
    );
    return EXIT.done;
  }
  const width = Math.max(...rows.map((row) => row.name.length));
  for (const row of rows) console.log(`${row.name.padEnd(width)}  ${row.kind.padEnd(6)}  ${row.description}`);
  return EXIT.done;
}
