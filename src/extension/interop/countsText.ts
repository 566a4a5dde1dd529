import { l10n } from 'vscode';
import type { ExportReport, ImportReport } from '../../protocol/importing.ts';
import { runsText } from '../maintenance/deleting.ts';
import type { Formats } from '../views/formats.ts';

type Counts = Omit<ExportReport, 'folder' | 'omissions'> & Partial<Pick<ImportReport, 'modelVersions'>>;

/** How much of each came or went, without what there is none of; empty when there is nothing. */
export function countsText(counts: Counts, formats: Formats): string {
  const { runs, points, artifacts, loggedModels, traces, modelVersions = 0 } = counts;
  return [
    ...(runs > 0 ? [runsText(runs, formats)] : []),
    ...(points > 0 ? [l10n.t('points of metrics: {0}', formats.count(points))] : []),
    ...(artifacts > 0 ? [l10n.t('artifacts: {0}', formats.count(artifacts))] : []),
    ...(loggedModels > 0 ? [l10n.t('logged models: {0}', formats.count(loggedModels))] : []),
    ...(traces > 0 ? [l10n.t('traces: {0}', formats.count(traces))] : []),
    ...(modelVersions > 0 ? [l10n.t('model versions: {0}', formats.count(modelVersions))] : []),
  ].join(', ');
}
