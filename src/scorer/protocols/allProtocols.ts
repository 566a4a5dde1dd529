import type { CountedEndpoint } from '../countedVersions.ts';
import type { Protocol } from '../routing.ts';
import { type FeedbackSink, feedback } from './feedback.ts';
import { metrics } from './metrics.ts';
import { mlflow } from './mlflow.ts';
import { openApi } from './openApi.ts';
import { openInference } from './openInference.ts';
import { sageMaker } from './sageMaker.ts';
import { tensorflowServing } from './tensorflowServing.ts';
import { tryIt } from './tryIt.ts';

export interface ProtocolSources extends CountedEndpoint {
  /** Null when the endpoint keeps no inference log. */
  readonly feedback: FeedbackSink | null;
}

/** Every protocol that a scorer speaks over HTTP. The first that owns an address answers it. */
export function allProtocols(sources: ProtocolSources): readonly Protocol[] {
  const { models } = sources;
  return [
    // Its address lies below one of the Open Inference Protocol.
    feedback(sources.feedback),
    openInference(sources),
    mlflow(models),
    tensorflowServing(models),
    sageMaker(models),
    metrics(sources),
    openApi(models),
    tryIt(models),
  ];
}
