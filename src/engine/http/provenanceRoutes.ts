import type { FastifyRequest } from 'fastify';
import { SlipwayError } from '../../protocol/errors.ts';
import { programHeader, programId, programReport } from '../../protocol/provenance.ts';
import type { ProvenanceService } from '../provenance/service.ts';
import type { DialectRoutes } from './dialect.ts';

/** What programs tell of themselves; no part of MLflow's dialect. */
export function registerProvenanceRoutes(
  routes: DialectRoutes,
  { provenance }: { readonly provenance: Pick<ProvenanceService, 'programReported'> },
): void {
  routes.rpc('POST', '/slipway/programs', (message, request) => {
    const report = programReport.safeParse(message.fields);
    if (!report.success) {
      const issue = report.error.issues[0];
      const detail = `Invalid value for parameter '${issue?.path.join('.') ?? ''}' supplied: ${issue?.message ?? ''}`;
      throw new SlipwayError('invalidParameter', { detail });
    }
    if (isLocal(request)) provenance.programReported(report.data);
    return {};
  });
}

/** The program that sends a request, by its id; null when it does not say, or runs on another machine. */
export function programOf(request: FastifyRequest): string | null {
  const named = programId.safeParse(request.headers[programHeader]);
  return named.success && isLocal(request) ? named.data : null;
}

/** The paths that a program of another machine names mean nothing here. */
function isLocal(request: FastifyRequest): boolean {
  return /^(::1|(::ffff:)?127(\.\d+){3})$/.test(request.socket.remoteAddress ?? '');
}
