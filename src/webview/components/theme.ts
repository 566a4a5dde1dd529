import { useEffect, useState } from 'preact/hooks';
import { versionColors } from '../../protocol/versionColors.ts';

/** The colours and the font that charts draw with, as the person's VS Code theme has them. */
export interface Theme {
  readonly font: string;
  readonly fontSize: number;
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly grid: string;
  readonly axis: string;
  readonly current: string;
  readonly currentFaint: string;
  readonly reference: string;
  readonly warning: string;
  readonly error: string;
  /** Of versions, by their number: the first one has the first colour. */
  readonly versions: readonly string[];
  readonly tooltipBackground: string;
  readonly tooltipForeground: string;
  readonly tooltipBorder: string;
  readonly highContrast: boolean;
}

/** Reads the theme from the `--slipway-*` variables of the page's stylesheet, which name those of VS Code. */
function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const color = (name: string) => resolveColor(style.getPropertyValue(name).trim());
  return {
    font: style.fontFamily,
    fontSize: Number.parseFloat(style.fontSize) || 13,
    background: color('--slipway-background'),
    foreground: color('--slipway-foreground'),
    muted: color('--slipway-muted'),
    grid: color('--slipway-grid'),
    axis: color('--slipway-axis'),
    current: color('--slipway-current'),
    currentFaint: color('--slipway-current-faint'),
    reference: color('--slipway-reference'),
    warning: color('--slipway-warning'),
    error: color('--slipway-error'),
    versions: versionColors.map((name) => opaque(color(`--vscode-${name.replace('.', '-')}`))),
    tooltipBackground: color('--slipway-tooltip-background'),
    tooltipForeground: color('--slipway-tooltip-foreground'),
    tooltipBorder: color('--slipway-tooltip-border'),
    highContrast: document.body.classList.contains('vscode-high-contrast'),
  };
}

/** The theme now, and anew whenever the person chooses another. */
export function useTheme(): Theme {
  const [theme, setTheme] = useState(readTheme);
  useEffect(() => {
    const observer = new MutationObserver(() => setTheme(readTheme()));
    observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
    return () => observer.disconnect();
  }, []);
  return theme;
}

/** A theme may have a colour that lets the background through, which a thin line cannot afford. */
function opaque(color: string): string {
  return color.replace(/^rgba\(([^)]*), [\d.]+\)$/, 'rgb($1)');
}

/** The browser turns each expression, `color-mix` included, into a plain colour that a canvas understands. */
function resolveColor(expression: string): string {
  const probe = document.createElement('span');
  probe.style.color = expression;
  probe.hidden = true;
  document.body.append(probe);
  const color = getComputedStyle(probe).color;
  probe.remove();
  return color;
}
