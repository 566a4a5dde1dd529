/** An entry of a legend; `look` says how its swatch is drawn. */
export interface LegendEntry {
  readonly name: string;
  readonly look: 'line' | 'faint' | 'current' | 'reference';
}

/** Names the parts of a chart. Pointing at an entry, or focusing it, lifts it out of the others. */
export function Legend(properties: {
  readonly entries: readonly LegendEntry[];
  readonly onLift?: (name: string | null) => void;
}) {
  const { entries, onLift } = properties;
  return (
    <ul class="legend">
      {entries.map(({ name, look }) => (
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
              <span class={`swatch swatch-${look}`} />
              {name}
            </button>
          ) : (
            <span class="legend-entry">
              <span class={`swatch swatch-${look}`} />
              {name}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
