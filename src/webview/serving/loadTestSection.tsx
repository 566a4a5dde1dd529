import * as l10n from '@vscode/l10n';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isJson } from '../../protocol/jsonText.ts';
import { fieldValue } from '../components/fieldValue.ts';
import { useReveal, useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { ErrorState } from '../components/states.tsx';
import type { Theme } from '../components/theme.ts';
import { firstFields, isFields, type LoadTestField, type LoadTestFields, planOf } from './loadTestFields.ts';
import { LoadTestResult } from './loadTestResult.tsx';
import { useLoadTest } from './useLoadTest.ts';

/** Finds out how many requests the endpoint takes: what to try, and what came of it. */
export function LoadTestSection(properties: {
  readonly endpoint: string;
  readonly exampleRequest: string;
  readonly theme: Theme;
  readonly trusted: boolean;
}) {
  const { endpoint, exampleRequest, theme, trusted } = properties;
  const [open, setOpen] = useViewState('loadTestOpen', false, isBoolean);
  const [fields, setFields] = useViewState<LoadTestFields>('loadTest', firstFields, isFields);
  const [body, setBody] = useState<string | null>(null);
  const test = useLoadTest(endpoint);
  const plan = planOf(fields);
  const bodyIsJson = body === null || isJson(body);
  const place = useRef<HTMLDivElement>(null);
  const [revealed, setRevealed] = useState(0);
  useReveal(() => {
    setOpen(true);
    setRevealed((times) => times + 1);
  });
  useEffect(() => {
    if (revealed === 0) return;
    place.current?.scrollIntoView({ block: 'start' });
    place.current?.querySelector<HTMLElement>('vscode-button')?.focus();
  }, [revealed]);

  const field = (name: LoadTestField, title: string) => (
    <div class="control control-narrow">
      <span class="control-name">{title}</span>
      <vscode-textfield
        type="number"
        step="any"
        label={title}
        value={fields[name]}
        invalid={plan.invalid.includes(name)}
        onInput={(event) => setFields({ ...fields, [name]: fieldValue(event.currentTarget) })}
      />
    </div>
  );

  return (
    <div ref={place}>
      <Section title={l10n.t('Load Test')} open={open} onToggle={setOpen}>
        <p class="section-text">
          {l10n.t(
            'Sends requests at a constant rate, whether or not the endpoint keeps up, doubles the rate until the limit is passed, and closes in on the highest rate that holds. They are answered, counted and logged like all others.',
          )}
        </p>
        <div class="control-line">
          <div class="controls">
            {field('firstRate', l10n.t('First rate (requests a second)'))}
            {field('lastRate', l10n.t('Highest rate (requests a second)'))}
            {field('seconds', l10n.t('Seconds at each rate'))}
            {field('latencyLimit', l10n.t('Limit of p99 (ms)'))}
            {plan.invalid.length > 0 ? (
              <p class="control-error" role="alert">
                {l10n.t('Rates go from 1 to 100,000, seconds from 0.5 to 60, the limit up to 60,000 ms.')}
              </p>
            ) : null}
          </div>
          <div class="actions">
            {test.running ? (
              <vscode-button secondary onClick={test.cancel}>
                {l10n.t('Stop')}
              </vscode-button>
            ) : (
              <vscode-button
                disabled={!trusted || plan.plan === null || !bodyIsJson}
                title={trusted ? '' : l10n.t('Trust this workspace to start something in it.')}
                onClick={() => plan.plan && test.start({ endpoint, body, plan: plan.plan })}
              >
                {l10n.t('Start Load Test')}
              </vscode-button>
            )}
          </div>
        </div>
        <details class="request-body" open={body !== null}>
          <summary>
            {body === null ? l10n.t('Sends the example request') : l10n.t('Sends this request')}
          </summary>
          <textarea
            aria-label={l10n.t('Body of the request')}
            aria-invalid={!bodyIsJson}
            spellcheck={false}
            rows={6}
            value={body ?? exampleRequest}
            onInput={(event) => setBody(fieldValue(event.currentTarget))}
          />
          {bodyIsJson ? null : (
            <p class="control-error" role="alert">
              {l10n.t('This is not JSON.')}
            </p>
          )}
          {body === null ? null : (
            <button type="button" class="link" onClick={() => setBody(null)}>
              {l10n.t('Use the Example Request')}
            </button>
          )}
        </details>
        <div class="progress-line load-progress">
          {test.running ? (
            <vscode-progress-bar
              aria-label={l10n.t('Load Test')}
              max={1}
              value={test.fraction ?? 0}
              indeterminate={test.fraction === null}
            />
          ) : null}
        </div>
        {test.error ? <ErrorState error={test.error} /> : null}
        {test.steps.length > 0 ? (
          <LoadTestResult
            endpoint={endpoint}
            steps={test.steps}
            report={test.report}
            running={test.running}
            limit={test.report?.plan.latencyLimit ?? Number(fields.latencyLimit)}
            theme={theme}
          />
        ) : null}
      </Section>
    </div>
  );
}

function isBoolean(kept: unknown): kept is boolean {
  return typeof kept === 'boolean';
}
