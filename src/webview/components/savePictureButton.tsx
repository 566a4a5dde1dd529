import * as l10n from '@vscode/l10n';
import type { RefObject } from 'preact';
import { IconButton } from './icon.tsx';
import type { ChartHandle } from './lineDrawing.ts';
import { useHost } from './page.tsx';

/** A name may be made of several that training scripts chose, and the host refuses one of more than 256 characters. */
const longestName = 200;

/** Saves a chart as it is seen to a file that the person chooses; `name` is what it is called at first. */
export function SavePictureButton(properties: {
  readonly chart: RefObject<ChartHandle | null>;
  readonly name: string;
  readonly disabled?: boolean;
}) {
  const { chart, name, disabled = false } = properties;
  const host = useHost();
  return (
    <IconButton
      icon="save"
      label={l10n.t('Save as PNG')}
      disabled={disabled}
      onClick={() => {
        const dataUrl = chart.current?.picture();
        if (dataUrl) host.act({ action: 'saveImage', name: name.slice(0, longestName), dataUrl });
      }}
    />
  );
}
