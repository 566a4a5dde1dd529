/** What the try-it page says, by the first part of a language tag. */
const texts = {
  en: {
    title: 'Try the model',
    token: 'Token',
    tokenHint: 'What the endpoint asks for in Authorization: Bearer. It stays in this page.',
    open: 'Open',
    model: 'Model',
    version: 'version {0}',
    stable: 'stable',
    row: 'Row to predict',
    body: 'Request (JSON)',
    predict: 'Predict',
    copyAs: 'Copy as {0}',
    copied: 'Copied as {0}.',
    copyHint: 'Copies read the token from the environment variable SLIPWAY_TOKEN.',
    answer: 'Answer',
    milliseconds: '{0} ms',
    status: 'Status {0}',
    variant: 'variant {0}',
    asking: 'Asking…',
    refused: 'The endpoint asks for its token.',
    unreachable: 'The endpoint does not answer: {0}',
    notANumber: '{0}: this is no number.',
    notJson: 'The request is no JSON: {0}',
    truthy: 'true',
    falsy: 'false',
  },
  pt: {
    title: 'Experimente o modelo',
    token: 'Token',
    tokenHint: 'O que o endpoint pede em Authorization: Bearer. Ele não sai desta página.',
    open: 'Abrir',
    model: 'Modelo',
    version: 'versão {0}',
    stable: 'estável',
    row: 'Linha a prever',
    body: 'Requisição (JSON)',
    predict: 'Prever',
    copyAs: 'Copiar como {0}',
    copied: 'Copiado como {0}.',
    copyHint: 'As cópias leem o token da variável de ambiente SLIPWAY_TOKEN.',
    answer: 'Resposta',
    milliseconds: '{0} ms',
    status: 'Status {0}',
    variant: 'variante {0}',
    asking: 'Perguntando…',
    refused: 'O endpoint pede o seu token.',
    unreachable: 'O endpoint não responde: {0}',
    notANumber: '{0}: isto não é um número.',
    notJson: 'A requisição não é JSON: {0}',
    truthy: 'verdadeiro',
    falsy: 'falso',
  },
} as const;

export type TryItTexts = Readonly<Record<keyof (typeof texts)['en'], string>>;

/** The texts in the language that a client prefers of those there are; English otherwise. */
export function tryItTexts(acceptLanguage: string | undefined): {
  readonly language: string;
  readonly texts: TryItTexts;
} {
  const wanted = (acceptLanguage ?? '')
    .split(',')
    .map((part) => {
      const [tag = '', ...parameters] = part.trim().toLowerCase().split(';');
      const quality = parameters.find((parameter) => parameter.trim().startsWith('q='));
      return { language: tag.split('-')[0], quality: quality ? Number(quality.trim().slice(2)) : 1 };
    })
    .sort((left, right) => right.quality - left.quality)
    .find(({ language, quality }) => quality > 0 && (language === 'en' || language === 'pt'));
  return wanted?.language === 'pt'
    ? { language: 'pt-BR', texts: texts.pt }
    : { language: 'en', texts: texts.en };
}
