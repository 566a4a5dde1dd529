import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import ts from 'typescript';

/** A text that the code translates, and where. */
export interface TranslatedText {
  readonly text: string;
  /** Such as `src/extension/activate.ts:12`. */
  readonly place: string;
}

/** The calls of `l10n.t` in source files. */
export interface TranslationCalls {
  readonly literal: readonly TranslatedText[];
  /** Calls whose text is not written there, so that no test can see whether it is translated. */
  readonly computed: readonly string[];
}

/** Finds every `l10n.t(...)` of the given files; the text may be a string or a plain template. */
export function findTranslationCalls(root: string, files: readonly string[]): TranslationCalls {
  const literal: TranslatedText[] = [];
  const computed: string[] = [];
  for (const file of files) {
    const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node) && isTranslation(node.expression)) {
        const line = source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        const place = `${relative(root, file)}:${line}`;
        const texts = textsOf(node.arguments[0]);
        if (texts === null) computed.push(place);
        else for (const text of texts) literal.push({ text, place });
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return { literal, computed };
}

function isTranslation(callee: ts.Expression): boolean {
  return (
    ts.isPropertyAccessExpression(callee) &&
    callee.name.text === 't' &&
    /\bl10n$/.test(callee.expression.getText())
  );
}

/** The texts that an argument may stand for, or null when they cannot be read off the code. */
function textsOf(argument: ts.Expression | undefined): readonly string[] | null {
  if (argument === undefined) return null;
  if (ts.isStringLiteralLike(argument)) return [argument.text];
  if (ts.isParenthesizedExpression(argument)) return textsOf(argument.expression);
  if (ts.isConditionalExpression(argument)) {
    const one = textsOf(argument.whenTrue);
    const other = textsOf(argument.whenFalse);
    return one && other && [...one, ...other];
  }
  return null;
}
