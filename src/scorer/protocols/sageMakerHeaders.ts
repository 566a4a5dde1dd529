import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { ModelRepository, VersionWish } from '../modelRepository.ts';

/**
 * What InvokeEndpoint of SageMaker hands on to a container in headers
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html).
 */

function header(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The model that a request asks for: the name or archive in `X-Amzn-SageMaker-Target-Model`, else the main one. */
export function targetModel(headers: IncomingHttpHeaders, models: ModelRepository): string {
  const target = header(headers, 'x-amzn-sagemaker-target-model');
  if (target === undefined || models.names().includes(target)) return target ?? models.main;
  return target.replace(/^\//, '').replace(/\.tar\.gz$/, '');
}

/** The variant that `X-Amzn-SageMaker-Target-Variant` asks for. */
export function targetWish(headers: IncomingHttpHeaders): VersionWish {
  return { variant: header(headers, 'x-amzn-sagemaker-target-variant') };
}

/** What a client calls its request: `X-Request-Id`, or SageMaker's inference id. */
export function requestIdOf(headers: IncomingHttpHeaders): string | null {
  return header(headers, 'x-request-id') ?? header(headers, 'x-amzn-sagemaker-inference-id') ?? null;
}

/** The custom attributes, given back as they came: up to 1024 visible characters of ASCII. */
export function answerHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const name = 'x-amzn-sagemaker-custom-attributes';
  const attributes = header(headers, name);
  return attributes !== undefined && /^[\x20-\x7e]{1,1024}$/.test(attributes) ? { [name]: attributes } : {};
}
