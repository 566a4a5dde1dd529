import { packageFiles } from '../../../protocol/packagedModel.ts';

/** The image that packages run in: the release of Node.js that Slipway is tested with, on Debian with glibc. */
export const baseImage = 'node:24-bookworm-slim';

export interface ImageDescription {
  readonly model: string;
  readonly version: number;
  readonly port: number;
  /** Whether the package holds native modules that run in a Linux container; else the build fetches them. */
  readonly holdsLinuxModules: boolean;
}

/**
 * The Dockerfile of a package. Building runs the package's own test, so an image that was built answers right. It
 * runs as the user `node` of its base image (1000), writes nothing, and answers Amazon SageMaker's argument `serve` as well as none.
 */
export function dockerfileText({ model, version, port, holdsLinuxModules }: ImageDescription): string {
  const start = `/opt/slipway/${packageFiles.start}`;
  const fetched = `FROM ${baseImage} AS modules
WORKDIR /modules
COPY package.json ./
RUN npm install --omit=dev --ignore-scripts --no-audit --no-fund

`;
  return `${holdsLinuxModules ? '' : fetched}FROM ${baseImage}

LABEL org.opencontainers.image.title=${quoted(model)} \\
      org.opencontainers.image.version="${version}"

ENV NODE_ENV=production \\
    SLIPWAY_HOST=0.0.0.0

WORKDIR /opt/slipway
COPY . .
${holdsLinuxModules ? '' : 'COPY --from=modules /modules/node_modules ./node_modules\n'}
USER 1000
RUN ["node", "${start}", "--self-test"]

EXPOSE ${port}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \\
  CMD ["node", "${start}", "--health"]
ENTRYPOINT ["node", "${start}"]
CMD ["serve"]
`;
}

/** Files that a container does not need. With modules of another platform, these stay out, too. */
export function dockerignoreText(holdsLinuxModules: boolean): string {
  return ['Dockerfile', '.dockerignore', ...(holdsLinuxModules ? [] : ['node_modules']), ''].join('\n');
}

/** As a value in a Dockerfile: nothing in it is replaced, and it stays one line. */
function quoted(text: string): string {
  const plain = text.replace(/\p{Cc}/gu, ' ');
  return `"${plain.replace(/[\\"$]/g, '\\$&')}"`;
}
