import { fill } from '../protocol/errorDetails.ts';
import { type ImportOmission, omissionReasons } from '../protocol/importing.ts';

/** Prints what was not taken, or not written, one line for each. */
export function printOmissions(title: string, omissions: readonly Omit<ImportOmission, 'type'>[]): void {
  if (omissions.length === 0) return;
  console.error(`${title} (${omissions.length}):`);
  for (const { subject, reason, values } of omissions) {
    console.error(`  ${subject}: ${fill(omissionReasons[reason], values)}`);
  }
}
