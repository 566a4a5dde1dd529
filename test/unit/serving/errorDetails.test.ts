import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as l10n from '@vscode/l10n';
import { readSettings } from '../../../src/engine/serving/settings.ts';
import { type Datatype, expectation, runtimeTypes } from '../../../src/inference/datatypes.ts';
import { loadModel, type Model } from '../../../src/inference/model.ts';
import { createPredictor } from '../../../src/inference/predictor.ts';
import { loadRuntime } from '../../../src/inference/runtime.ts';
import {
  type Detail,
  type DetailKind,
  detail,
  errorDetails,
  isDetailValue,
  worded,
} from '../../../src/protocol/errorDetails.ts';
import { SlipwayError, toErrorData } from '../../../src/protocol/errors.ts';
import { errorSentence, say } from '../../../src/protocol/servingSentences.ts';
import { readSaying } from '../../../src/protocol/storedSaying.ts';
import { localizedDetail, localizedErrorFrom } from '../../../src/webview/components/errorText.ts';
import { readCsvHeader } from '../../../src/worker/score/csvHeader.ts';
import { findModelColumns } from '../../../src/worker/score/modelColumns.ts';
import { castModel, defaultInputModel } from '../../fixtures/unusualOnnxFile.ts';
import { portuguese, texts } from './portuguese.ts';

const kinds = Object.keys(errorDetails) as DetailKind[];
/** Written alike in both languages. */
const alike: readonly DetailKind[] = ['settingAt', 'endedSaying'];

/** What was thrown, as it comes out of another process. */
function thrownBy(work: () => unknown): SlipwayError {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof SlipwayError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was thrown' });
}

describe('the details of errors', () => {
  it('have a Portuguese text each', () => {
    const missing = kinds.filter(
      (kind) =>
        !alike.includes(kind) && (texts[errorDetails[kind]] ?? errorDetails[kind]) === errorDetails[kind],
    );
    assert.deepEqual(missing, []);
  });

  describe('in the editor', () => {
    const asShown = (error: SlipwayError) =>
      localizedErrorFrom(JSON.parse(JSON.stringify(toErrorData(error)))).message;
    before(() => l10n.config({ contents: { ...texts } }));
    after(() => l10n.config({ contents: {} }));

    it('are Portuguese where a file does not fit a model', () => {
      const layout = {
        named: true,
        places: ['acidity', 'sugar'].map((name, input) => ({ name, input, offset: 0, row: [1] })),
      };
      const inputs = ['acidity', 'sugar'].map((name) => ({
        name,
        datatype: 'FP32' as const,
        shape: [-1, 1],
      }));
      const error = thrownBy(() => findModelColumns({ columns: [] }, '/data/wines.csv', layout, inputs));
      assert.equal(
        error.message,
        'The file /data/wines.csv does not fit the model: the columns "acidity", "sugar" are missing. It has .',
      );
      assert.equal(
        asShown(error),
        'O arquivo /data/wines.csv não serve para o modelo: faltam as colunas "acidity", "sugar". Ele tem .',
      );
      const noTable = thrownBy(() => findModelColumns({ columns: [] }, 'a.csv', null, inputs.slice(1)));
      assert.match(noTable.message, /are no columns of a table \("sugar" of shape \[any, 1\]\)\.$/);
      assert.match(
        asShown(noTable),
        /não são colunas de uma tabela \("sugar" de formato \[qualquer, 1\]\)\.$/,
      );
    });

    it('are Portuguese where a file cannot be read', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'slipway-details-'));
      try {
        const path = join(folder, 'empty.csv');
        writeFileSync(path, '');
        const error = await readCsvHeader(path, false, null).catch((reason: unknown) => reason);
        assert.ok(error instanceof SlipwayError);
        assert.match(error.message, /cannot be read as a table: it is empty$/);
        assert.equal(asShown(error), `Não foi possível ler o arquivo ${path} como tabela: ele está vazio`);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('take what others say as it is', () => {
      const error = new SlipwayError('storeUnreadable', { path: 'a', detail: 'EACCES: permission denied' });
      assert.match(asShown(error), /EACCES: permission denied$/);
    });
  });

  it('are Portuguese in what is said of an endpoint, and when it was kept and read again', () => {
    const error = new SlipwayError('scoreRowRefused', {
      path: 'wines.csv',
      row: 3,
      detail: detail('columnValue', {
        column: 'sugar',
        expected: expectation('INT8'),
        given: detail('noValue'),
      }),
    });
    const kept = readSaying(JSON.parse(JSON.stringify([errorSentence(error)])));
    assert.ok(kept);
    assert.equal(
      say(kept),
      'Row 3 of wines.csv cannot be scored: column "sugar": expected an integer from -128 to 127 (INT8), got no value',
    );
    assert.equal(
      say(kept, portuguese),
      'A linha 3 de wines.csv não pode receber predição: coluna "sugar": esperado um número inteiro de -128 a 127 (INT8), encontrado nenhum valor',
    );
    assert.equal(
      readSaying([{ error: { kind: 'notFound', values: { detail: { kind: 'ofLater', values: {} } } } }]),
      null,
    );
  });

  describe('of models, as warnings', () => {
    const both = (warnings: readonly (string | Detail)[]) =>
      JSON.parse(JSON.stringify(warnings)).map((warning: Detail) => [
        worded(warning),
        worded(warning, portuguese.translate),
      ]);

    it('are Portuguese where a file holds what the runtime does not take or give', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'slipway-details-'));
      try {
        const warningsOf = async (onnx: Buffer) => {
          const file = join(folder, 'model.onnx');
          writeFileSync(file, onnx);
          const model = await loadModel(await loadRuntime(), { name: 'wine', version: 3, file });
          await model.close();
          return both(model.warnings);
        };
        assert.deepEqual(await warningsOf(castModel('bfloat16')), [
          [
            'The output "cast" of the model is a tensor of bfloat16, which is not supported by this runtime, and is left out of answers.',
            'A saída "cast" do modelo é um tensor de bfloat16, o que este runtime não suporta, e fica fora das respostas.',
          ],
        ]);
        assert.deepEqual(await warningsOf(defaultInputModel(8)), [
          [
            'The runtime always takes the values in the model\'s file for "b"; a request cannot replace them.',
            'O runtime sempre usa os valores do arquivo do modelo para "b"; uma requisição não pode substituí-los.',
          ],
        ]);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('are Portuguese where the example or the signature does not fit', async () => {
      const model: Model = {
        inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2, 2] }],
        outputs: [],
        facts: [],
        warnings: ['what Python says'],
        run: () => Promise.reject(new Error('too small')),
        close: () => Promise.resolve(),
      };
      const { warnings } = await createPredictor(model, ['a'], () => {
        throw new Error('no JSON');
      });
      assert.deepEqual(both(warnings), [
        ['what Python says', 'what Python says'],
        [
          'The input example that was logged with the model cannot be used: no JSON',
          'O exemplo de entrada registrado com o modelo não pode ser usado: no JSON',
        ],
        [
          'The model refused the example request: too small',
          'O modelo recusou a requisição de exemplo: too small',
        ],
        [
          "The model's signature names columns (1 in all), but its inputs take no table.",
          'A assinatura do modelo nomeia colunas (1 ao todo), mas as entradas dele não recebem uma tabela.',
        ],
      ]);
    });

    it('are Portuguese on the page of an endpoint', () => {
      l10n.config({ contents: { ...texts } });
      try {
        assert.equal(
          localizedDetail(detail('exampleRefused', { why: 'too small' })),
          'O modelo recusou a requisição de exemplo: too small',
        );
      } finally {
        l10n.config({ contents: {} });
      }
    });
  });

  it('are told from what looks like them', () => {
    assert.ok(isDetailValue([detail('noValue'), 'a', 1]));
    for (const wrong of [
      null,
      undefined,
      {},
      { kind: 'toString', values: {} },
      { kind: 'noValue', values: null },
      [[]],
    ]) {
      assert.ok(!isDetailValue(wrong), JSON.stringify(wrong));
    }
    assert.ok(
      !isDetailValue(detail('settingAt', JSON.parse('{"problem": {"kind": "ofLater", "values": {}}}'))),
    );
  });

  it('say of datatypes what the answers of the scorer say', () => {
    const said: Readonly<Record<Datatype, string>> = {
      BOOL: 'true or false (BOOL)',
      INT8: 'an integer from -128 to 127 (INT8)',
      INT16: 'an integer from -32768 to 32767 (INT16)',
      INT32: 'an integer from -2147483648 to 2147483647 (INT32)',
      INT64: 'an integer (INT64; beyond 2^53 as a string of digits)',
      UINT8: 'an integer from 0 to 255 (UINT8)',
      UINT16: 'an integer from 0 to 65535 (UINT16)',
      UINT32: 'an integer from 0 to 4294967295 (UINT32)',
      UINT64: 'an integer that is not negative (UINT64; beyond 2^53 as a string of digits)',
      FP16: 'a number (FP16)',
      FP32: 'a number (FP32)',
      FP64: 'a number (FP64)',
      BYTES: 'a string without NUL characters (BYTES)',
    };
    for (const datatype of Object.keys(runtimeTypes) as Datatype[]) {
      assert.equal(worded(expectation(datatype)), said[datatype]);
    }
  });

  const mistakes: readonly (readonly [text: string, said: string])[] = [
    ['endpoint: {}', 'endpoint: não há configuração com este nome aqui'],
    ['endpoints: { a: { port: "80" } }', 'endpoints.a.port: esperado: número; encontrado: texto'],
    ['endpoints: { a: { port: 0 } }', 'endpoints.a.port: esperado um número >=1; encontrado: 0'],
    ['endpoints: { a: { port: 1.5 } }', 'endpoints.a.port: esperado: número inteiro; encontrado: número'],
    ['endpoints: { a: }', 'endpoints.a: esperado: mapa de nomes e valores; encontrado: null'],
    [
      'endpoints: { a: { models: [{ of: { version: 1 } }] } }',
      'endpoints.a.models[0].model: esperado: texto; encontrado: nada',
    ],
    [
      'endpoints: { a: { model: "" } }',
      'endpoints.a.model: esperado um texto com >=1 caracteres; encontrado: ""',
    ],
    [
      'endpoints: { a: { rollout: { steps: [] } } }',
      'endpoints.a.rollout.steps: esperada uma lista com >=1 itens',
    ],
    [
      'endpoints: { a: { rollout: { strategy: blue } } }',
      'endpoints.a.rollout.strategy: esperado um destes: "canary"|"abTest"|"shadow"|"bandit"|"direct"; encontrado: "blue"',
    ],
    [
      'endpoints: { a: { stable: 3 } }',
      'endpoints.a.stable: esperado { stage: None | Staging | Production | Archived }, { alias: NAME } ou { version: NUMBER }; encontrado: 3',
    ],
    [
      'endpoints: { a: { sticky: x } }',
      'endpoints.a.sticky: esperado { header: NAME }, { cookie: NAME } ou { parameter: NAME }; encontrado: "x"',
    ],
    [
      'endpoints: { a: { grpc: true } }',
      'endpoints.a.grpc: esperada uma porta de 1 a 65535, ou auto; encontrado: true',
    ],
    [
      'endpoints: { a: { rollout: { atMost: soon } } }',
      'endpoints.a.rollout.atMost: esperada uma duração como 500ms, 30s, 10m, 2h ou 7d; encontrado: "soon"',
    ],
    [
      'endpoints: { a: { rollout: { steps: [{ share: 5, hold: soon }] } } }',
      'endpoints.a.rollout.steps[0].hold: esperada uma duração como 30s, ou confirm; encontrado: "soon"',
    ],
    [
      'endpoints: { a: { limits: { load: 30d } } }',
      'endpoints.a.limits.load: esperado no mínimo 1ms e no máximo 24d; encontrado: "30d"',
    ],
    [
      'endpoints: { a: { rollout: { interval: 0s } } }',
      'endpoints.a.rollout.interval: esperado no mínimo 50ms; encontrado: "0s"',
    ],
    [
      'endpoints: { a: { limits: { body: big } } }',
      'endpoints.a.limits.body: esperado um tamanho como 500KB, 64MB ou 2GB; encontrado: "big"',
    ],
    [
      'endpoints: { a: { hosts: ["a:80"] } }',
      'endpoints.a.hosts[0]: esperado um nome de host como models.example.com, sem esquema, porta nem caminho; encontrado: "a:80"',
    ],
    [
      'endpoints: { a: { rollout: { checks: [{ metric: errorRate, min: 1 }] } } }',
      'endpoints.a.rollout.checks[0].min: errorRate aceita max, maxRatio, não min; encontrado: 1',
    ],
    [
      'endpoints: { a: { rollout: { checks: [{ metric: latencyP99 }] } } }',
      'endpoints.a.rollout.checks[0]: latencyP99 precisa de max ou maxRatio',
    ],
    [
      'endpoints: { a: { rollout: { checks: [{ metric: agreement }] , strategy: shadow } } }',
      'endpoints.a.rollout.checks[0]: agreement precisa de min',
    ],
    [
      'endpoints: { a: { rollout: { checks: [{ metric: agreement, min: 1 }] } } }',
      'endpoints.a.rollout.checks[0].metric: agreement só é conhecido na estratégia shadow: as outras perguntam algo diferente a cada versão; encontrado: "agreement"',
    ],
  ];
  for (const [text, said] of mistakes) {
    it(`tell in Portuguese what is wrong with ${text}`, () => {
      const found = readSettings(text);
      assert.ok('problems' in found);
      assert.equal(worded(found.problems[0].detail, portuguese.translate), said);
    });
  }
});
