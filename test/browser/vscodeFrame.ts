import { fonts, type ThemeName, themes } from './themes.ts';

/** VS Code carries messages as JSON, in which NaN and infinities are lost, and typed arrays beside it. */
export function asSentByVsCode(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (Array.isArray(value)) return value.map(asSentByVsCode);
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asSentByVsCode(part)]));
}

/** Runs in the page: what VS Code gives to it. Its state outlives a reload, as it does in VS Code. */
export function installVsCodeApi(): void {
  const kept = 'vscode-state';
  Object.assign(window, {
    acquireVsCodeApi: () => ({
      postMessage: (message: unknown) => void Reflect.get(window, 'slipwayReceive')(message),
      getState: () => JSON.parse(sessionStorage.getItem(kept) ?? 'null'),
      setState: (state: unknown) => sessionStorage.setItem(kept, JSON.stringify(state)),
    }),
  });
}

/** What VS Code tells a page of a theme. */
export interface ThemeStyle {
  readonly kind: string;
  readonly variables: Readonly<Record<string, string>>;
}

export function styleOf(name: ThemeName): ThemeStyle {
  const theme = themes[name];
  return { kind: theme.kind, variables: { ...fonts, ...theme.colors } };
}

/** Runs in the page: sets the variables and the class as VS Code does, now or once there is a body. */
export function applyTheme({ kind, variables }: ThemeStyle): void {
  const apply = () => {
    const { style } = document.documentElement;
    for (const name of [...style]) style.removeProperty(name);
    for (const [name, value] of Object.entries(variables)) style.setProperty(`--vscode-${name}`, value);
    document.body.className = kind;
  };
  if (document.body) apply();
  else {
    new MutationObserver((_, observer) => {
      if (!document.body) return;
      observer.disconnect();
      apply();
    }).observe(document, { childList: true, subtree: true });
  }
}
