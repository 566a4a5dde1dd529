import { type ColumnLayout, columnNames } from '../inference/columns.ts';
import type { OutputSpecification, TensorSpecification } from '../inference/model.ts';
import type { ValueLayout } from '../protocol/loggedValues.ts';

/** What of a model is needed to name the values of its requests. */
export interface LoggedForm {
  readonly inputs: readonly TensorSpecification[];
  readonly outputs: readonly OutputSpecification[];
  readonly layout: ColumnLayout | null;
}

/** What of a tensor the log does not keep: nothing of it, these columns of its rows, or all is kept (null). */
export type HiddenPart = 'whole' | ReadonlySet<number> | null;

/** How the log finds the values of a model's requests. */
export interface LoggedLayout {
  readonly description: ValueLayout;
  /** Of each tensor of a request, inputs first. */
  readonly hidden: readonly HiddenPart[];
}

/** @param redacted columns, inputs and outputs whose values are not kept. */
export function layOutValues(
  { inputs, outputs, layout }: LoggedForm,
  redacted: ReadonlySet<string>,
): LoggedLayout {
  const names = layout && columnNames(layout);
  const hide = (...some: readonly string[]) =>
    some.some((name) => redacted.has(name)) && { hidden: true as const };
  const described: ValueLayout['inputs'] =
    layout && names
      ? layout.places.map(({ input, offset }, index) => {
          const name = names[index] ?? '';
          return { name, tensor: input, offset, ...hide(name, inputs[input]?.name ?? '') };
        })
      : inputs.map(({ name }, tensor) => ({ name, tensor, ...hide(name) }));
  const answered: ValueLayout['outputs'] = outputs.map(({ name, labels }, index) => ({
    name,
    tensor: inputs.length + index,
    ...hide(name),
    ...(labels && { labels: labels.map(String) }),
  }));
  return {
    description: { inputs: described, outputs: answered },
    hidden: [
      ...inputs.map((_, tensor) => hiddenPart(described.filter((member) => member.tensor === tensor))),
      ...answered.map(({ hidden }) => (hidden ? 'whole' : null)),
    ],
  };
}

/** @param members what lies in one tensor. */
function hiddenPart(members: ValueLayout['inputs']): HiddenPart {
  const hidden = members.filter((member) => member.hidden);
  if (hidden.length === 0) return null;
  return hidden.length === members.length ? 'whole' : new Set(hidden.map(({ offset = 0 }) => offset));
}
