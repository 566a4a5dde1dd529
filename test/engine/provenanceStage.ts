import { join } from 'node:path';
import type { RunProvenance } from '../../src/protocol/provenance.ts';
import { createGitRepository, type GitRepository } from '../gitRepository.ts';
import { textAt } from './answers.ts';
import { type HttpEngine, openHttpEngine } from './httpEngine.ts';

/** The program that tells of itself, where a test names no other. */
export const program = '0123456789abcdef0123456789abcdef';

/** An engine and a repository, and a program that tells the one of the other. */
export interface ProvenanceStage {
  readonly engine: HttpEngine;
  readonly repository: GitRepository;
  /** What the program tells; it is started by `python train.py` in the repository. */
  report(fields?: object): object;
  /** Tells it, and gives the answer's status. */
  tell(fields?: object): Promise<number>;
  /** Creates a run as a program whose requests have this header. */
  createRun(header?: string): Promise<string>;
  /** What is known of a run once all is recorded. */
  made(runId: string): Promise<RunProvenance>;
  /** The runs of which more became known, once for each time. */
  readonly told: readonly string[];
  close(): Promise<void>;
}

export async function openProvenanceStage(): Promise<ProvenanceStage> {
  const told: string[] = [];
  const engine = await openHttpEngine(null, { provenance: (runId) => void told.push(runId) });
  const repository = createGitRepository();
  const post = (path: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    engine.fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
  const report = (fields: object = {}) => ({
    program,
    kind: 'script',
    entry_point: join(repository.folder, 'train.py'),
    command: ['python', 'train.py'],
    folder: repository.folder,
    python_version: '3.13.2',
    python_implementation: 'CPython',
    python_executable: '/usr/bin/python3',
    search_path: [],
    prefix: '/usr',
    ...fields,
  });
  return {
    engine,
    repository,
    told,
    report,
    tell: async (fields) => (await post('/api/2.0/slipway/programs', report(fields))).status,
    async createRun(header = program) {
      const headers = { 'x-slipway-program': header };
      const answer = await post('/api/2.0/mlflow/runs/create', { experiment_id: '0' }, headers);
      return textAt(await answer.json(), 'run.info.run_id');
    },
    async made(runId) {
      await engine.provenance.settled();
      return engine.provenance.ofRun(runId);
    },
    async close() {
      await engine.close();
      repository.remove();
    },
  };
}
