import { SlipwayError } from '../../../protocol/errors.ts';
import { inferUrl } from '../../../protocol/inferUrl.ts';
import type { ScorerModelInput } from '../../../protocol/scorer.ts';
import { startFleet } from '../../../supervision/scorerFleet.ts';

/** A request of the Open Inference Protocol, and its answer. */
export interface RecordedAnswer {
  readonly request: string;
  readonly answer: string;
}

/**
 * Asks a model its own example request, in a scorer that is started for it.
 *
 * @param script entry file of the scorer process.
 * @throws SlipwayError what the scorer failed with; `selfTestFailed` when it refuses the example.
 */
export async function recordAnswer(
  script: string,
  model: ScorerModelInput,
  warn: (message: string) => void,
): Promise<RecordedAnswer> {
  const fleet = await startFleet({
    script,
    processes: 1,
    port: 0,
    scorer: {
      endpoint: model.name,
      models: [model],
      host: '127.0.0.1',
      token: null,
      inferenceLog: null,
    },
    log: warn,
  });
  try {
    const request = fleet.versions[0]?.exampleRequest ?? '';
    const response = await fetch(inferUrl(fleet.url, model.name), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: request,
    });
    const answer = await response.text();
    if (response.status === 200) return { request, answer };
    const detail = `its example request got the status ${response.status}: ${answer}`;
    throw new SlipwayError('selfTestFailed', { detail });
  } finally {
    await fleet.drain();
  }
}
