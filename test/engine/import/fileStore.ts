import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files by their path below a folder; folders are those whose path ends in a slash. */
export type Files = Readonly<Record<string, string | Buffer>>;

export function writeFiles(folder: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path);
    if (path.endsWith('/')) {
      mkdirSync(file, { recursive: true });
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
  }
}

export function experimentMeta(id: string, name: string, more = ''): string {
  return `artifact_location: file:///nowhere/mlruns/${id}\nexperiment_id: '${id}'\nlifecycle_stage: active\nname: ${name}\n${more}`;
}

/** A run's id made of one digit. */
export function idOf(digit: string): string {
  return digit.repeat(32);
}

/** The files of a run as MLflow 2 writes them; `meta` adds to or takes the place of fields. */
export function runFiles(
  experiment: string,
  id: string,
  files: Files = {},
  meta: Readonly<Record<string, string>> = {},
): Files {
  const fields = {
    artifact_uri: `file:///nowhere/mlruns/${experiment}/${id}/artifacts`,
    end_time: '1700000001000',
    entry_point_name: "''",
    experiment_id: `'${experiment}'`,
    lifecycle_stage: 'active',
    run_id: `'${id}'`,
    run_name: 'a run',
    run_uuid: `'${id}'`,
    source_type: '4',
    start_time: '1700000000000',
    status: '3',
    tags: '[]',
    user_id: 'somebody',
    ...meta,
  };
  const yaml = Object.entries(fields).map(([key, value]) => `${key}: ${value}\n`);
  const folder = `${experiment}/${id}`;
  return {
    [`${folder}/meta.yaml`]: yaml.join(''),
    [`${folder}/metrics/`]: '',
    [`${folder}/params/`]: '',
    [`${folder}/artifacts/`]: '',
    ...Object.fromEntries(Object.entries(files).map(([path, content]) => [`${folder}/${path}`, content])),
  };
}
