/** Where a model is asked in the Open Inference Protocol. @param url of the endpoint. */
export function inferUrl(url: string, model: string): string {
  return `${url}/v2/models/${encodeURIComponent(model)}/infer`;
}
