import assert from 'node:assert/strict';
import { at, listAt, textAt } from './answers.ts';
import { tracesOverHttp } from './tracesOverHttp.ts';

describe('Assessments of traces over HTTP', () => {
  const { ask, record, search, idsOf } = tracesOverHttp();

  it('keeps feedback and expectations, changes them and lets one override another', async () => {
    await record('tr-1', { assessments: [{ assessment_name: 'early', feedback: { value: 0.5 } }] });
    const path = '3.0/mlflow/traces/tr-1/assessments';
    const make = (fields: object) => ask('POST', path, { assessment: fields });
    const feedback = {
      assessment_name: 'right',
      feedback: { value: true },
      rationale: 'seen',
      metadata: { a: '1' },
    };
    const made = await make(feedback);
    const id = textAt(made.body, 'assessment.assessment_id');
    assert.match(id, /^a-[0-9a-f]{32}$/);
    const later = await make({ ...feedback, feedback: { value: false }, overrides: id });
    assert.equal(at((await ask('GET', `${path}/${id}`)).body, 'assessment.valid'), false);
    assert.deepEqual(idsOf(await search({ filter: "feedback.right = 'true'" })), []);
    const expected = await make({
      assessment_name: 'expected',
      expectation: { serialized_value: { serialization_format: 'JSON_FORMAT', value: '{"a": 1}' } },
    });
    const expectedId = textAt(expected.body, 'assessment.assessment_id');
    const changed = await ask('PATCH', `${path}/${id}`, {
      assessment: {
        assessment_name: 'renamed',
        feedback: { value: 'yes' },
        rationale: 'not in the mask',
        metadata: { b: '2' },
      },
      update_mask: 'assessmentName,feedback,metadata',
    });
    assert.equal(at(changed.body, 'assessment.assessment_name'), 'renamed');
    assert.deepEqual(at(changed.body, 'assessment.feedback'), { value: 'yes' });
    assert.equal(at(changed.body, 'assessment.rationale'), 'seen');
    assert.deepEqual(at(changed.body, 'assessment.metadata'), { a: '1', b: '2' });
    const crossed = await ask('PATCH', `${path}/${expectedId}`, {
      assessment: { feedback: { value: 1 } },
      update_mask: 'feedback',
    });
    assert.match(textAt(crossed.body, 'message'), /Cannot update feedback value on an Expectation/);
    await ask('DELETE', `${path}/${textAt(later.body, 'assessment.assessment_id')}`);
    assert.equal(at((await ask('GET', `${path}/${id}`)).body, 'assessment.valid'), true);
    for (const [filter, found] of [
      ['feedback.early > 0.4', true],
      ['feedback.early < 0.4', false],
      ["feedback.early = '0.5'", true],
      ["feedback.renamed LIKE 'y%'", true],
      ['feedback.right IS NULL', true],
      ['expectation.expected IS NOT NULL', true],
      ['feedback.expected IS NOT NULL', false],
    ] as const) {
      assert.deepEqual(idsOf(await search({ filter })), found ? ['tr-1'] : [], filter);
    }
    const info = await ask('GET', '3.0/mlflow/traces/tr-1');
    assert.deepEqual(
      listAt(info.body, 'trace.trace_info.assessments').map((one) => textAt(one, 'assessment_name')),
      ['early', 'renamed', 'expected'],
    );
    for (const [method, place, fields] of [
      ['POST', path, {}],
      ['POST', path, { assessment: { assessment_name: 'a' } }],
      ['POST', path, { assessment: { feedback: { value: 1 } } }],
      ['PATCH', `${path}/${id}`, { assessment: {} }],
    ] as const) {
      assert.equal((await ask(method, place, fields)).status, 400);
    }
    assert.equal((await make({ ...feedback, overrides: 'a-none' })).status, 404);
    assert.equal((await ask('GET', `${path}/a-none`)).status, 404);
    assert.equal((await ask('DELETE', `${path}/a-none`)).status, 200);
    assert.equal(
      (await ask('POST', '3.0/mlflow/traces/none/assessments', { assessment: feedback })).status,
      404,
    );
  });

  it('tells an expected list or object as JSON inside a text, and anything else as it stands', async () => {
    await record('tr-1');
    const serialized = (value: string) => ({
      serialized_value: { serialization_format: 'JSON_FORMAT', value },
    });
    for (const [expectation, told] of [
      [{ value: { limit: 1, all: [true] } }, serialized('{"limit": 1, "all": [true]}')],
      [{ value: [1] }, serialized('[1]')],
      [serialized('{"a":1}'), serialized('{"a":1}')],
      [{ value: 0 }, { value: 0 }],
      [{ value: 'text' }, { value: 'text' }],
    ] as const) {
      const { body } = await ask('POST', '3.0/mlflow/traces/tr-1/assessments', {
        assessment: { assessment_name: 'expected', expectation },
      });
      assert.deepEqual(at(body, 'assessment.expectation'), told);
    }
  });
});
