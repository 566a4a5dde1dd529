import * as l10n from '@vscode/l10n';
import type { LoggedModelSummary } from '../../protocol/tracking.ts';
import { Icon } from '../components/icon.tsx';
import { Section } from '../components/section.tsx';

/** The models that a run logged, with the versions that they became. */
export function LoggedModels({ models }: { readonly models: readonly LoggedModelSummary[] }) {
  return (
    <Section title={l10n.t('Models')} count={models.length}>
      {models.length === 0 ? (
        <p class="nothing">
          {l10n.t('This run logged no model. mlflow.onnx.log_model logs one that can be served.')}
        </p>
      ) : (
        <ul class="rows">
          {models.map((model) => (
            <li key={model.modelId}>
              <Icon name="package" />
              <span class="row-name" title={model.modelId}>
                {model.name}
              </span>
              {model.flavors.map((flavor) => (
                <span class="badge" key={flavor}>
                  {flavor}
                </span>
              ))}
              <span class="row-note">
                {model.registeredAs.length === 0
                  ? l10n.t('not registered')
                  : model.registeredAs.map(({ name, version }) => `${name} v${version}`).join(', ')}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
