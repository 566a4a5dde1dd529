import type { Saying } from '../../protocol/servingSentences.ts';
import type { Translator } from '../../protocol/translator.ts';
import {
  type Measurement,
  type RuntimeChoice,
  type TuningReport,
  tuningConnections,
} from '../../protocol/tuning.ts';
import type { Formats } from '../views/formats.ts';
import { escaped, table } from '../views/markdown.ts';

interface Texts {
  readonly l10n: Translator;
  readonly formats: Formats;
}

interface DocumentTexts extends Texts {
  /** A reason in the person's language. */
  readonly said: (reason: Saying) => string;
}

/**
 * What was measured of an endpoint's model, what was chosen, and why, as Markdown.
 *
 * @param settings the section of `slipway.yaml` that holds the choice.
 */
export function tuningDocument(
  endpoint: string,
  { model, version, rows, machine, measurements, choice, reasons }: TuningReport,
  settings: string,
  { l10n, formats, said }: DocumentTexts,
): string {
  const { processor, cores } = machine;
  return [
    `# ${escaped(l10n.t('How "{0}" runs best on this machine', endpoint))}`,
    escaped(
      l10n.t(
        'Version {0} of "{1}" was measured with {2} in each request, on a processor with {3} cores ({4}).',
        version,
        model,
        rowsText(rows, { l10n, formats }),
        formats.count(cores),
        processor,
      ),
    ),
    `**${escaped(choiceText(choice, { l10n, formats }))}**`,
    reasons.map((reason) => `- ${escaped(said(reason))}`).join('\n'),
    `## ${escaped(l10n.t('In slipway.yaml'))}`,
    `\`\`\`yaml\n${settings.trimEnd()}\n\`\`\``,
    `## ${escaped(l10n.t('What was measured'))}`,
    table(
      [
        '',
        l10n.t('Threads'),
        l10n.t('Processes'),
        l10n.t('Batch Rows'),
        l10n.t('Requests a Second'),
        'p50',
        'p99',
        l10n.t('Processor Time'),
        l10n.t('Memory'),
      ],
      measurements.map((measurement) => measurementRow(measurement, choice, { l10n, formats })),
    ),
    escaped(
      l10n.t(
        'Requests a second while {0} connections always wait for an answer; p50 and p99 under a moderate constant load; processor time for each request.',
        tuningConnections,
      ),
    ),
  ].join('\n\n');
}

/** Such as "1 thread, 2 processes, batches of up to 64 rows". */
export function choiceText(
  { threads, processes, batchRows }: RuntimeChoice,
  { l10n, formats }: Texts,
): string {
  return [
    threads === 1 ? l10n.t('1 thread') : l10n.t('{0} threads', formats.count(threads)),
    processes === 1 ? l10n.t('1 process') : l10n.t('{0} processes', formats.count(processes)),
    batchRows === 1
      ? l10n.t('requests are not joined')
      : l10n.t('batches of up to {0} rows', formats.count(batchRows)),
  ].join(', ');
}

function rowsText(rows: number, { l10n, formats }: Texts): string {
  return rows === 1 ? l10n.t('1 row') : l10n.t('{0} rows', formats.count(rows));
}

function measurementRow(
  measurement: Measurement,
  choice: RuntimeChoice,
  { l10n, formats }: Texts,
): readonly string[] {
  const { threads, processes, batchRows, rate, p50, p99, processorMicroseconds, residentBytes } = measurement;
  const isChosen =
    threads === choice.threads && processes === choice.processes && batchRows === choice.batchRows;
  const cells = [
    formats.count(threads),
    formats.count(processes),
    formats.count(batchRows),
    formats.count(Math.round(rate)),
    formats.latency(p50),
    formats.latency(p99),
    processorMicroseconds === null ? '–' : l10n.t('{0} µs', formats.count(Math.round(processorMicroseconds))),
    residentBytes === null ? '–' : formats.bytes(residentBytes),
  ].map(escaped);
  return isChosen ? [l10n.t('chosen'), ...cells].map((cell) => `**${cell}**`) : ['', ...cells];
}
