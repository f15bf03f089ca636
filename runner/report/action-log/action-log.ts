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
  const sections = [
    headerSection(header, record),
    stateBefore(record),
    planSection(header, record),
    phasesSection(record),
    afterSection(record),
    issuesSection(record),
    rollbackSection(record),
    outcomeSection(record),
    notesSection(record),
    followUps(header, record),
    referencesSection(header),
    appendixSection(header, record),
    tagsSection(header, record),
  ];
  const text = sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n').trim())
    .join('\n\n');
  return `${text}\n`;
}
