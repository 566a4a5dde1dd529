/** A codicon; decoration, so the text beside it must say the same. */
export function Icon({ name, tone }: { readonly name: string; readonly tone?: string | undefined }) {
  return <span class={`codicon codicon-${name}${tone ? ` tone-${tone}` : ''}`} aria-hidden="true" />;
}

/** A small button that shows a codicon only; `label` is its name and its tooltip. */
export function IconButton(properties: {
  readonly icon: string;
  readonly label: string;
  readonly onClick: () => void;
  /** For a switch: whether it is on. */
  readonly pressed?: boolean;
  readonly disabled?: boolean;
}) {
  return (
    <button
      type="button"
      class="icon-button"
      title={properties.label}
      aria-label={properties.label}
      aria-pressed={properties.pressed}
      disabled={properties.disabled ?? false}
      onClick={properties.onClick}
    >
      <Icon name={properties.icon} />
    </button>
  );
}
