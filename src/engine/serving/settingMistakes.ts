import type { z } from 'zod';
import { refusedForms } from '../../protocol/endpointSettings.ts';
import { type Detail, type DetailKind, detail, isDetail, worded } from '../../protocol/errorDetails.ts';

/**
 * What is wrong with a setting, as a detail that can be translated; the parser's own English text where it says
 * something that no settings of ours are refused with.
 *
 * @param given what stands in the file.
 */
export function settingMistake(issue: z.core.$ZodIssue, given: unknown): string | Detail {
  switch (issue.code) {
    case 'invalid_type':
      return detail('wrongType', { expected: typeName(issue.expected), received: typeName(typeOf(given)) });
    case 'invalid_value':
      return detail('expectedOneOf', {
        choices: issue.values.map((value) => JSON.stringify(value)).join('|'),
      });
    case 'too_small':
      return (
        sizeMistake(issue.origin, `${issue.inclusive === false ? '>' : '>='}${issue.minimum}`) ?? plain(issue)
      );
    case 'too_big':
      return (
        sizeMistake(issue.origin, `${issue.inclusive === false ? '<' : '<='}${issue.maximum}`) ?? plain(issue)
      );
    case 'custom': {
      const said: unknown = issue.params?.detail;
      return isDetail(said) ? said : plain(issue);
    }
    default:
      return refusedForms.find((form) => worded(form) === issue.message) ?? plain(issue);
  }
}

function plain({ message }: z.core.$ZodIssue): string {
  return message.replace(/^(?:Invalid \w+|Too \w+): /, '');
}

function sizeMistake(origin: string, comparison: string): Detail | null {
  const kinds: Readonly<Record<string, DetailKind>> = {
    number: 'expectedNumber',
    int: 'expectedNumber',
    string: 'expectedCharacters',
    array: 'expectedItems',
  };
  const kind = kinds[origin];
  return kind ? detail(kind, { comparison }) : null;
}

function typeOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

/** What is `null` in YAML is called so in every language. */
function typeName(type: string): string | Detail {
  const kinds: Readonly<Record<string, DetailKind>> = {
    number: 'typeNumber',
    int: 'typeInteger',
    string: 'typeString',
    boolean: 'typeBoolean',
    array: 'typeArray',
    object: 'typeObject',
    record: 'typeObject',
    undefined: 'typeNothing',
  };
  const kind = kinds[type];
  return kind ? detail(kind) : type;
}
