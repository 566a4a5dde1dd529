/**
 * The keys of a tree as VS Code's own trees have them: up and down move, right opens or goes in, left closes or goes
 * out, Home and End go to the ends, Enter and Space choose. Only the item that has the focus can be reached by Tab.
 */
export function moveFocus(event: KeyboardEvent, tree: HTMLElement | null): void {
  const items = [...(tree?.querySelectorAll<HTMLElement>('[role="treeitem"]') ?? [])];
  const place = items.findIndex((other) =>
    other.contains(event.target instanceof Node ? event.target : null),
  );
  const item = items[place];
  if (!item) return;
  const expanded = item.getAttribute('aria-expanded');
  const goTo = (target: HTMLElement | undefined) => {
    if (!target) return;
    for (const other of items) other.tabIndex = other === target ? 0 : -1;
    target.focus();
  };
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

function levelOf(item: HTMLElement): number {
  return Number(item.getAttribute('aria-level'));
}
