import type { JsonSchema } from './openApiSchemas.ts';

/** An operation of an OpenAPI document. */
export type Operation = Readonly<Record<string, unknown>>;

/** What an operation answers when it refuses, by status. */
const refusals: Readonly<Record<string, string>> = {
  '400': 'The request does not fit; the answer says where.',
  '401': 'The token is missing or wrong.',
  '404': 'There is no such model, version or label.',
  '413': 'The body is too large.',
  '415': 'The content type or the packing is not understood.',
  '429': 'Too many requests are under way; Retry-After says when to come again.',
  '503': 'The server drains, or has not what is asked for.',
};

export interface OperationDescription {
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  /** Needs no token. */
  readonly open?: boolean;
  /** What a `GET` or an accepted request is answered with. */
  readonly status?: '200' | '202';
  readonly answerType?: string;
  readonly answer?: JsonSchema;
  readonly body?: Readonly<Record<string, BodyDescription>>;
  readonly mlflowErrors?: boolean;
}

export interface BodyDescription {
  readonly schema: JsonSchema;
  /** Bodies that are accepted, by name. */
  readonly examples: Readonly<Record<string, unknown>>;
}

export function operation(description: OperationDescription): Operation {
  const { id, tag, summary, open, status = '200', answer = {}, body, mlflowErrors } = description;
  const { answerType = 'application/json' } = description;
  const error = { $ref: `#/components/schemas/${mlflowErrors ? 'MlflowError' : 'Error'}` };
  const problems = Object.entries(refusals)
    .filter(([code]) => body !== undefined || ['401', '404', '503'].includes(code))
    .filter(([code]) => !open || code === '503')
    .map(([code, text]) => [code, { description: text, content: { 'application/json': { schema: error } } }]);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(open ? { security: [] } : {}),
    ...(body ? { requestBody: { required: true, content: contents(body) } } : {}),
    responses: {
      [status]: { description: 'The answer.', content: { [answerType]: { schema: answer } } },
      ...Object.fromEntries(problems),
    },
  };
}

function contents(body: Readonly<Record<string, BodyDescription>>) {
  return Object.fromEntries(
    Object.entries(body).map(([type, { schema, examples }]) => {
      const named = Object.entries(examples).map(([name, value]) => [name, { value }]);
      return [type, { schema, examples: Object.fromEntries(named) }];
    }),
  );
}
