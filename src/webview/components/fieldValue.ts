/** What a field of a form holds as text, whichever element it is made of. */
export function fieldValue(field: EventTarget | null): string {
  return field && 'value' in field && typeof field.value === 'string' ? field.value : '';
}
