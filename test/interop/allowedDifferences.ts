import type { AllowedDifference } from './exchangeDifferences.ts';

const anyError = /^(status|body\.(error_code|message|sqlstate|error_class))$/;

/** In which step a search is asked that cannot be understood. */
const refusedSearches = [
  { step: 'experiment-refusals', call: /\/experiments\/search$/ },
  { step: 'run-refusals', call: /\/runs\/search$/ },
  { step: 'logged-model-refusals', call: /\/logged-models\/search$/ },
  { step: 'registry-refusals', call: /\/registered-models\/search$/ },
  { step: 'registry-refusals', call: /\/model-versions\/search$/ },
].map((asked) => ({
  ...asked,
  at: /^body\.message$/,
  reason: 'Ours says where in the filter it went wrong, and which keys there are.',
}));

/** Where our answers are to differ from those of `mlflow server`, and why. */
export const allowedDifferences: readonly AllowedDifference[] = [
  {
    call: /^GET \/health$/,
    at: /^type$/,
    reason:
      'MLflow has called the word OK a page, and plain text, from one release to another: clients read the status alone.',
  },
  {
    call: /^GET \/api\/3\.0\/mlflow\/server-info$/,
    at: /^body\.(trace_archival|multipart_uploads|multipart_downloads|presigned_upload_\w+|features)_\w+$/,
    reason: 'What the server does not name the client takes for unsupported, and it is.',
  },
  {
    call: /\/experiments\/(get|get-by-name|search)$/,
    at: /^body\.experiments?(\.\d+)?\.workspace$/,
    reason: 'There are no workspaces.',
  },
  {
    step: 'experiment-refusals',
    call: /\/experiments\/create$/,
    at: /^body\.message$/,
    reason: "MLflow's message goes on with the SQL that failed.",
  },
  {
    step: 'registry-refusals',
    call: /\/registered-models\/rename$/,
    at: /^body\.message$/,
    reason: "MLflow's message goes on with the SQL that failed.",
  },
  ...refusedSearches,
  {
    step: 'logged-model-refusals',
    call: /\/logged-models\/search$/,
    at: anyError,
    reason: 'An unknown key makes MLflow fail with 500, upon which the client asks again for minutes.',
  },
  {
    step: 'run-refusals',
    call: /\/runs\/log-inputs$/,
    at: anyError,
    reason:
      "MLflow's messages call digest, type and source required; its server does not ask, and cannot tell such a dataset from the next.",
  },
  {
    step: 'metrics',
    call: /\/metrics\/get-history-bulk-interval$/,
    at: /^body\.metrics\.\d+(\.(value|timestamp|step))?$/,
    reason:
      'Curves are compared step by step, so all runs are sampled at the same steps, as MLflow has done too. ' +
      'Its SQL store takes every so many rows of each run.',
  },
  {
    call: /^PUT \/api\/2\.0\/mlflow-artifacts\/artifacts\//,
    at: /^(type|body)$/,
    reason:
      'MLflow has answered {}, and nothing, from one release to another: clients read the status alone.',
  },
  {
    step: 'artifacts',
    call: /\/artifacts\/presigned-upload-url$/,
    at: /^body\.message$/,
    reason: 'The words changed from one release to the next.',
  },
  {
    call: /\/logged-models(\/search|\/m-<id>)$/,
    at: /^body\.models?(\.\d+)?\.data\.metrics\.\d+\.value$/,
    reason: "MLflow gives the NaN of a model's metric back as 0.",
  },
];
