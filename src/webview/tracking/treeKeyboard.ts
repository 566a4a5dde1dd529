/**
 * The keys of a tree as VS Code's own trees have them: up and down move, right opens or goes in, left closes or goes
 * out, Home and End go to the ends, Enter and Space choose.
 */
export function moveFocus(event: KeyboardEvent, tree: HTMLElement | null): void {
  const items = itemsOf(tree);
  const place = items.findIndex((other) =>
    other.contains(event.target instanceof Node ? event.target : null),
  );
  const item = items[place];
  if (!item) return;
  const expanded = item.getAttribute('aria-expanded');
  const goTo = (target: HTMLElement | undefined) => target?.focus();
  switch (event.key) {
    case 'ArrowDown':
      goTo(items[place + 1]);
      break;
    case 'ArrowUp':
      goTo(items[place - 1]);
      break;
    case 'Home':
      goTo(items[0]);
      break;
    case 'End':
      goTo(items.at(-1));
      break;
    case 'ArrowRight':
      if (expanded === 'false') item.click();
      else if (expanded === 'true') goTo(items[place + 1]);
      break;
    case 'ArrowLeft':
      if (expanded === 'true') item.click();
      else goTo(items.slice(0, place).findLast((other) => levelOf(other) < levelOf(item)));
      break;
    case 'Enter':
    case ' ':
      item.click();
      break;
    default:
      return;
  }
  event.preventDefault();
}

/** Makes the item that gets the focus, by key or by mouse, the only one that Tab reaches. */
export function keepInReach(event: FocusEvent, tree: HTMLElement | null): void {
  for (const item of itemsOf(tree)) item.tabIndex = item === event.target ? 0 : -1;
}

function itemsOf(tree: HTMLElement | null): readonly HTMLElement[] {
  return [...(tree?.querySelectorAll<HTMLElement>('[role="treeitem"]') ?? [])];
}

function levelOf(item: HTMLElement): number {
  return Number(item.getAttribute('aria-level'));
}
