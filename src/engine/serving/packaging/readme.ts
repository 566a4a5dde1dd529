export interface ReadmeSubject {
  readonly model: string;
  readonly version: number;
  readonly port: number;
  readonly platform: string;
  readonly request: string;
  readonly slipwayVersion: string;
}

/** The README of a package: how to run it, test it, and put it into a container. */
export function readmeText(subject: ReadmeSubject): string {
  const { model, version, port, platform, request, slipwayVersion } = subject;
  const image = imageName(model);
  const address = `http://127.0.0.1:${port}`;
  return `# ${model.replace(/[\r\n]+/g, ' ')}, version ${version}

Written by Slipway ${slipwayVersion}. It needs Node.js 22 or newer (24 is recommended) on ${platform}, and nothing else.

    node start.cjs               answers requests until Ctrl+C
    node start.cjs --self-test   checks the files, loads the model, and sends it a request with a known answer

A request, in the Open Inference Protocol:

    curl ${address}/v2/models/${encodeURIComponent(model)}/infer \\
      -H 'content-type: application/json' \\
      -d '${shortened(request).replaceAll("'", "'\\''")}'

MLflow's and Amazon SageMaker's \`/invocations\` and \`/ping\`, KServe's V1 protocol and Prometheus' \`/metrics\` are answered, too.

## In a container

    docker build --tag ${image}:${version} .
    docker run --rm --publish ${port}:${port} ${image}:${version}

The build runs the self-test. The image runs as the user \`node\` and writes nothing. On Amazon SageMaker it answers on the
port that it is told, and a model that is mounted at \`/opt/ml/model\` is served in place of the one inside.

## Settings

\`config.json\` has them; these variables of the environment overrule it:

| variable | meaning |
| --- | --- |
| \`SLIPWAY_HOST\` | the address to listen on; 127.0.0.1, and 0.0.0.0 in the container |
| \`SLIPWAY_HOST_NAMES\` | further host names by which it is asked, such as that of a proxy on the same machine, with commas between them |
| \`SLIPWAY_PORT\`, \`SAGEMAKER_BIND_TO_PORT\`, \`PORT\` | the port, the first of them that is there |
| \`SLIPWAY_GRPC_PORT\` | a port for the Open Inference Protocol over gRPC |
| \`SLIPWAY_TOKEN\`, \`SLIPWAY_TOKEN_FILE\` | a token of 16 characters or more that clients must send: \`Authorization: Bearer …\` |
| \`SLIPWAY_PROCESSES\` | scorer processes that share the port |
| \`SLIPWAY_THREADS\` | threads inside one run of the model |
| \`SLIPWAY_BATCH_ROWS\` | rows after which a batch takes no further request; 1 never joins requests |
| \`SLIPWAY_LOG\` | an SQLite file that keeps every request and its answer |
| \`SLIPWAY_MODEL\` | another folder with a model to serve |

On 127.0.0.1 only requests that name this machine, or one of the host names above (\`hosts\` in \`config.json\`), are answered.
On another address every host name is.

## What is inside

\`sbom.cdx.json\` lists it (CycloneDX 1.6), \`LICENSES/\` has the licences, and \`SHA256SUMS\` the digests of the files:
\`sha256sum --check SHA256SUMS\`.
`;
}

/** Of a model's name, what may stand in the name of an image. */
export function imageName(model: string): string {
  const name = model
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return name === '' ? 'model' : name;
}

/** A request that is too long to read is left to its place in `model.json`. */
function shortened(request: string): string {
  return request.length <= 2_000 ? request : '<the text at test.request of model/model.json>';
}
