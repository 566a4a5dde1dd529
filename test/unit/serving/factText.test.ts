import assert from 'node:assert/strict';
import { readFacts } from '../../../src/inference/onnx/facts.ts';
import { fill } from '../../../src/protocol/errorDetails.ts';
import { factText } from '../../../src/protocol/factText.ts';
import { integer, message, text } from '../../fixtures/onnxFile.ts';
import { texts } from './portuguese.ts';

describe('what a model’s file says of itself', () => {
  it('has Portuguese names in the editor; keys of its metadata stay as they are', () => {
    const file = Buffer.concat([
      integer(1, 8),
      text(2, 'skl2onnx'),
      text(4, 'wine'),
      integer(5, 3),
      text(6, 'White wines'),
      message(7, text(2, 'main')),
      message(8, integer(2, 17)),
      message(14, text(1, 'author'), text(2, 'Ana')),
    ]);
    const l10n = {
      t: (key: string, ...values: (string | number)[]) =>
        fill(texts[key] ?? key, Object.fromEntries(values.entries())),
    };
    assert.deepEqual(
      readFacts(file).map(({ name }) => factText(name, l10n)),
      [
        'opset',
        'versão do IR',
        'produtor',
        'domínio',
        'versão do modelo',
        'grafo',
        'descrição',
        'metadados author',
      ],
    );
    assert.equal(factText('python', l10n), 'python');
  });
});
