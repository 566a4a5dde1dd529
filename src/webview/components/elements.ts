import '@vscode-elements/elements/dist/vscode-button/index.js';
import '@vscode-elements/elements/dist/vscode-option/index.js';
import '@vscode-elements/elements/dist/vscode-progress-bar/index.js';
import '@vscode-elements/elements/dist/vscode-single-select/index.js';
import '@vscode-elements/elements/dist/vscode-textfield/index.js';
import type { HTMLAttributes } from 'preact';

interface ButtonAttributes extends HTMLAttributes<HTMLElement> {
  readonly secondary?: boolean;
  readonly disabled?: boolean;
}

interface OptionAttributes extends HTMLAttributes<HTMLElement> {
  readonly value: string;
  readonly selected?: boolean;
}

interface ProgressBarAttributes extends HTMLAttributes<HTMLElement> {
  readonly value?: number;
  readonly max?: number;
  readonly indeterminate?: boolean;
}

interface SingleSelectAttributes extends HTMLAttributes<HTMLElement> {
  readonly label: string;
}

interface TextfieldAttributes extends HTMLAttributes<HTMLElement> {
  readonly label: string;
  readonly type?: string;
  readonly value?: string;
  readonly placeholder?: string;
  readonly invalid?: boolean;
  /** Of a number: without it the browser takes whole ones only. */
  readonly step?: 'any';
}

/** The elements of `@vscode-elements/elements` that the pages use, with the attributes that they set. */
declare module 'preact' {
  namespace JSX {
    interface IntrinsicElements {
      'vscode-button': ButtonAttributes;
      'vscode-option': OptionAttributes;
      'vscode-progress-bar': ProgressBarAttributes;
      'vscode-single-select': SingleSelectAttributes;
      'vscode-textfield': TextfieldAttributes;
    }
  }
}
