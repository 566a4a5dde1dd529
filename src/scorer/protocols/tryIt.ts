import { randomBytes } from 'node:crypto';
import type { ModelRepository } from '../modelRepository.ts';
import { guardedRoute, json, openRoute, type Protocol, type ScorerAnswer } from '../routing.ts';
import { triedVersions } from './tryItModels.ts';
import { tryItScript } from './tryItScript.ts';
import { tryItStyle } from './tryItStyle.ts';
import { tryItTexts } from './tryItTexts.ts';

/**
 * `GET /try`: a page with a form for each model, made from its signature. The page itself says nothing of the models
 * and is open; what it shows it asks for with the token, which comes in a field or in the fragment `#token=` of its
 * address, and never in a query.
 */
export function tryIt(models: ModelRepository): Protocol {
  const page = openRoute(({ headers }) => answerPage(headers['accept-language']));
  const described = guardedRoute(() => json(200, JSON.stringify({ versions: triedVersions(models) })));
  return {
    find: ([, file, ...rest]) => {
      if (file === undefined) return page;
      return file === 'models.json' && rest.length === 0 ? described : null;
    },
    owns: ([first]) => first === 'try',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

function answerPage(acceptLanguage: string | undefined): ScorerAnswer {
  const nonce = randomBytes(16).toString('base64');
  return {
    status: 200,
    contentType: 'text/html; charset=utf-8',
    body: pageHtml(nonce, acceptLanguage),
    headers: {
      'content-security-policy': [
        "default-src 'none'",
        `script-src 'nonce-${nonce}'`,
        `style-src 'nonce-${nonce}'`,
        "connect-src 'self'",
        'img-src data:',
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
      ].join('; '),
      'referrer-policy': 'no-referrer',
      'x-frame-options': 'DENY',
      vary: 'Accept-Language',
    },
  };
}

function pageHtml(nonce: string, acceptLanguage: string | undefined): string {
  const { language, texts } = tryItTexts(acceptLanguage);
  const embedded = JSON.stringify(texts).replaceAll('<', '\\u003c');
  const copies = ['curl', 'Python', 'TypeScript']
    .map((kind) => `<button type="button" id="copy-${kind}">${texts.copyAs.replace('{0}', kind)}</button>`)
    .join('\n        ');
  return `<!doctype html>
<html lang="${language}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${texts.title}</title>
  <link rel="icon" href="data:,">
  <style nonce="${nonce}">${tryItStyle}</style>
</head>
<body>
  <main>
    <h1>${texts.title}</h1>
    <form id="door" hidden>
      <label for="token">${texts.token}</label>
      <div class="row">
        <input id="token" type="password" autocomplete="off" aria-describedby="token-hint">
        <button class="main">${texts.open}</button>
      </div>
      <p class="hint" id="token-hint">${texts.tokenHint}</p>
    </form>
    <form id="form" hidden>
      <label for="model">${texts.model}</label>
      <select id="model"></select>
      <fieldset id="columns"><legend>${texts.row}</legend><div class="columns" id="fields"></div></fieldset>
      <div id="body"><label for="request">${texts.body}</label><textarea id="request" spellcheck="false"></textarea></div>
      <div class="row">
        <button class="main">${texts.predict}</button>
        ${copies}
      </div>
      <p class="hint">${texts.copyHint}</p>
    </form>
    <p id="message" role="status"></p>
    <section id="answer" aria-labelledby="answer-title" aria-live="polite" hidden>
      <h2 id="answer-title">${texts.answer}</h2>
      <p class="hint" id="facts"></p>
      <pre id="output" tabindex="0"></pre>
    </section>
  </main>
  <script type="application/json" id="texts" nonce="${nonce}">${embedded}</script>
  <script nonce="${nonce}">${tryItScript}</script>
</body>
</html>
`;
}
