import type { z } from 'zod';

/**
 * A request that one process sends and another answers: the schema that checks its parameters at the
 * receiver's border, and the type of the answer.
 */
export interface RequestDefinition<Params, Result> {
  readonly params: z.ZodType<Params>;
  /** Carries the answer's type; never present at run time. */
  readonly result?: Result;
}

/** Declares a request: `request<Answer>()(schemaOfItsParameters)`. */
export const request =
  <Result>() =>
  <Params>(params: z.ZodType<Params>): RequestDefinition<Params, Result> => ({ params });

/** A table of requests by method name, such as `engineRequests`. */
export type RequestTable = Readonly<Record<string, RequestDefinition<never, unknown>>>;

/** The parameters of method `Method` of `Table`. */
export type ParamsOf<Table, Method extends keyof Table> = Table[Method] extends {
  readonly params: z.ZodType<infer Params>;
}
  ? Params
  : never;

/** The answer to method `Method` of `Table`. */
export type ResultOf<Table, Method extends keyof Table> = Table[Method] extends {
  readonly result?: infer Result;
}
  ? Result
  : never;
