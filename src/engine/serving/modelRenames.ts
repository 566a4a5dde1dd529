import type { EndpointDefinition } from './types.ts';

/** An endpoint as it was, and as it is when its model has another name. */
export interface RenamedEndpoint {
  readonly from: EndpointDefinition;
  readonly to: EndpointDefinition;
}

/**
 * What a new name of a model makes of the endpoints that serve it. One that bore the model's name bears the new one,
 * unless an endpoint that serves something else has it; what bore the new name for a model that is gone is forgotten.
 * Endpoints with names of their own keep them.
 */
export function renamedEndpoints(
  all: readonly EndpointDefinition[],
  name: string,
  newName: string,
): readonly RenamedEndpoint[] {
  const isTaken = all.some((endpoint) => endpoint.name === newName && endpoint.modelName !== newName);
  return all
    .filter((endpoint) => endpoint.modelName === name)
    .map((from) => {
      const follows = from.name === name && !isTaken;
      return { from, to: { ...from, name: follows ? newName : from.name, modelName: newName } };
    });
}
