/** An entry of a legend; `look` says how its swatch is drawn. */
export interface LegendEntry {
  readonly name: string;
  readonly look: 'line' | 'faint' | 'current' | 'reference' | 'dashed' | 'dotted';
  /** In place of the look's own colour. */
  readonly color?: string;
}

/** Names the parts of a chart. Pointing at an entry, or focusing it, lifts it out of the others. */
export function Legend(properties: {
  readonly entries: readonly LegendEntry[];
  readonly onLift?: (name: string | null) => void;
}) {
  const { entries, onLift } = properties;
  return (
    <ul class="legend">
      {entries.map(({ name, look, color }) => (
        <li key={name}>
          {onLift ? (
            <button
              type="button"
              class="legend-entry"
              onMouseEnter={() => onLift(name)}
              onMouseLeave={() => onLift(null)}
              onFocus={() => onLift(name)}
              onBlur={() => onLift(null)}
            >
              <Swatch look={look} color={color} />
              {name}
            </button>
          ) : (
            <span class="legend-entry">
              <Swatch look={look} color={color} />
              {name}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}

function Swatch({ look, color }: Pick<LegendEntry, 'look'> & { readonly color: string | undefined }) {
  return <span class={`swatch swatch-${look}`} style={color === undefined ? {} : { '--swatch': color }} />;
}
