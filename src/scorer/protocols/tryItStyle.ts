/** The stylesheet of the try-it page: light or dark as the person's system is. */
export const tryItStyle = `
:root {
  color-scheme: light dark;
  --ink: light-dark(#1b1f24, #e6e9ee);
  --soft: light-dark(#57606a, #9aa4b2);
  --paper: light-dark(#ffffff, #16191e);
  --panel: light-dark(#f6f8fa, #1f242b);
  --line: light-dark(#d0d7de, #3a424d);
  --accent: light-dark(#0a58ca, #6ea8fe);
  --on-accent: light-dark(#ffffff, #0b1320);
  --error: light-dark(#b42318, #ff9b8f);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.4rem; margin: 0 0 1rem; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
label { display: block; font-weight: 600; overflow-wrap: anywhere; }
label small { font-weight: 400; color: var(--soft); }
input, select, textarea, button {
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 6px;
  padding: .4rem .6rem; width: 100%;
}
input, select, textarea { font-weight: 400; }
textarea { min-height: 12rem; font-family: ui-monospace, monospace; font-size: .85rem; resize: vertical; }
button { width: auto; cursor: pointer; background: var(--panel); }
button.main { background: var(--accent); color: var(--on-accent); border-color: var(--accent); font-weight: 600; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
fieldset { border: 1px solid var(--line); border-radius: 8px; background: var(--panel); margin: 1rem 0 0; padding: 1rem; }
legend { font-weight: 600; padding: 0 .4rem; }
.columns { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: .75rem 1rem; align-items: end; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin: 1rem 0 .25rem; }
.hint { color: var(--soft); font-size: .85rem; margin: .25rem 0 0; }
.error { color: var(--error); }
pre {
  background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: .75rem; margin: 0;
  overflow: auto; max-height: 30rem; white-space: pre-wrap; overflow-wrap: anywhere;
}
[hidden] { display: none; }
`;
