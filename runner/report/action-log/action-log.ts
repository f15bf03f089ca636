import type { RunHeader } from '../../run-header.ts';
import type { RunRecord } from '../record.ts';
import { appendixSection, notesSection, referencesSection, tagsSection } from './appendix.ts';
import { headerSection } from './header.ts';
import { issuesSection } from './issues.ts';
import { afterSection, followUps, outcomeSection } from './outcome.ts';
import { phasesSection } from './phases.ts';
import { planSection } from './plan.ts';
import { rollbackSection } from './rollback.ts';
import { stateBefore } from './state.ts';

/**
 * The action log of a run as Markdown, filled from its journal alone: what was not recorded has no section. The same
 * journal gives the same bytes, whenever and wherever it is asked.
 */
export function actionLog(header: RunHeader, record: RunRecord): string {
  return [...actionLogPieces(header, record)].join('');
}

/** The same, section by section. */
export function* actionLogPieces(header: RunHeader, record: RunRecord): Generator<string> {
  let before = '';
  for (const section of SECTIONS) {
    const lines = section(header, record);
    if (lines.length === 0) continue;
    yield before + lines.join('\n').trim();
    before = '\n\n';
  }
  yield '\n';
}

const SECTIONS: readonly ((header: RunHeader, record: RunRecord) => string[])[] = [
  headerSection,
  (_, record) => stateBefore(record),
  planSection,
  (_, record) => phasesSection(record),
  (_, record) => afterSection(record),
  (_, record) => issuesSection(record),
  (_, record) => rollbackSection(record),
  (_, record) => outcomeSection(record),
  (_, record) => notesSection(record),
  followUps,
  referencesSection,
  appendixSection,
  tagsSection,
];
