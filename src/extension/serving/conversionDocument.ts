import { l10n } from 'vscode';
import type {
  ConversionCheck,
  ConversionReport,
  ConversionRows,
  OutputDifference,
} from '../../protocol/conversion.ts';
import { factText } from '../../protocol/factText.ts';
import type { Formats } from '../views/formats.ts';
import { code, escaped, table } from '../views/markdown.ts';

/** What a person reads before they decide about a converted model, as Markdown. */
export function conversionDocument(report: ConversionReport, formats: Formats): string {
  const { modelName, modelVersion, flavor, size, facts, checks } = report;
  return [
    `# ${escaped(l10n.t('"{0}" v{1} as ONNX', modelName, modelVersion))}`,
    escaped(
      l10n.t(
        'Made of a model of {0}; {1} large. Nothing is registered yet. Both models were asked for the same rows, the ONNX model by the runtime that would serve it.',
        flavor,
        formats.bytes(size),
      ),
    ),
    ...checks.flatMap((check) => checkSection(check, formats)),
    `## ${escaped(l10n.t('The file'))}`,
    table(
      [l10n.t('Fact'), l10n.t('Value')],
      facts.map(({ name, value }) => [escaped(factText(name, l10n)), code(value)]),
    ),
  ].join('\n\n');
}

/** Rows in which an output differs: of the output that differs most. */
export function differentRows({ checks }: ConversionReport): number {
  return checks.reduce(
    (sum, { outputs }) => sum + Math.max(0, ...outputs.map((output) => output.differentRows)),
    0,
  );
}

function checkSection(
  { source, rows, skipped, outputs }: ConversionCheck,
  formats: Formats,
): readonly string[] {
  const title = `## ${escaped(rowsTitle(source))}`;
  if (skipped !== null) return [title, escaped(l10n.t('Not compared: {0}', skipped))];
  return [
    title,
    escaped(rows === 1 ? l10n.t('1 row') : l10n.t('{0} rows', formats.count(rows))),
    table(
      [l10n.t('Output'), l10n.t('Rows that differ'), l10n.t('Largest difference'), l10n.t('Mean difference')],
      outputs.map((output) => [
        code(output.name),
        formats.count(output.differentRows),
        numberText(output.largestAbsolute, formats),
        numberText(output.meanAbsolute, formats),
      ]),
    ),
    ...outputs.flatMap(examplesTable),
  ];
}

function rowsTitle(source: ConversionRows): string {
  switch (source) {
    case 'example':
      return l10n.t('The logged input example');
    case 'dataset':
      return l10n.t('Data of the run');
    case 'generated':
      return l10n.t('Made-up rows within the ranges that were seen');
  }
}

function examplesTable({ name, examples }: OutputDifference): readonly string[] {
  if (examples.length === 0) return [];
  return [
    escaped(l10n.t('The first rows in which "{0}" differs:', name)),
    table(
      [l10n.t('Row'), l10n.t('Original'), l10n.t('ONNX')],
      examples.map(({ row, expected, converted }) => [`${row}`, code(expected), code(converted)]),
    ),
  ];
}

function numberText(value: number | null, formats: Formats): string {
  return value === null ? '–' : escaped(formats.metric(value));
}
