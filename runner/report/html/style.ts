/** Style of the HTML report. Every colour has a light and a dark form; statuses have a sign beside their colour. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --back: light-dark(#ffffff, #14171c);
  --panel: light-dark(#f5f6f8, #1c2027);
  --line: light-dark(#d5d9e0, #343b47);
  --text: light-dark(#1b1f24, #e4e7ec);
  --dim: light-dark(#59616d, #9aa4b2);
  --accent: light-dark(#0b5cad, #6cb2ff);
  --ok: light-dark(#1a7f37, #4ac26b);
  --changed: light-dark(#8a5a00, #e3b341);
  --skipped: light-dark(#5b6b7d, #8b98a8);
  --unknown: light-dark(#7a3fb0, #c297ff);
  --failed: light-dark(#b3261e, #ff7b72);
  --unreachable: light-dark(#9c1c4b, #ff85b3);
  --unfinished: light-dark(#6b5800, #d9c26a);
  --added: light-dark(#dafbe1, #12361f);
  --removed: light-dark(#ffebe9, #45181a);
}
:root[data-theme='light'] { color-scheme: light; }
:root[data-theme='dark'] { color-scheme: dark; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--back); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
header, main > section, main > details { padding: 0.75rem 1rem; }
header { border-bottom: 1px solid var(--line); background: var(--panel); }
h1 { margin: 0 0 0.25rem; font-size: 1.35rem; }
h2 { margin: 0 0 0.5rem; font-size: 1rem; }
h3 { margin: 1rem 0 0.25rem; font-size: 0.9rem; }
code, pre, .mono { font-family: ui-monospace, 'DejaVu Sans Mono', monospace; font-size: 12.5px; }
.dim { color: var(--dim); }
.pill { display: inline-block; padding: 0 0.6em; border: 1px solid currentcolor; border-radius: 1em; font-weight: 600; }
.facts { display: flex; flex-wrap: wrap; gap: 0.15rem 1.5rem; margin: 0.4rem 0 0; }
.facts div { display: flex; gap: 0.4rem; }
.facts dt { color: var(--dim); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: 0.25rem 0 0.75rem; }
th, td { padding: 0.15rem 0.7rem 0.15rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
summary { cursor: pointer; font-weight: 600; }
main > details { border-top: 1px solid var(--line); }
main > details:first-child { border: 0; border-left: 4px solid var(--failed); background: var(--panel); }
main > details:first-child ul { margin: 0.25rem 0; }
.wide { overflow-x: auto; }
td { overflow-wrap: break-word; min-width: 4rem; }
.toolbar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem; margin-bottom: 0.5rem; }
input[type='search'], button {
  font: inherit; color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 6px; padding: 0.25rem 0.6rem;
}
input[type='search'] { min-width: min(18rem, 100%); }
button { cursor: pointer; }
button[aria-pressed='false'] { opacity: 0.45; text-decoration: line-through; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
#timeline { position: relative; overflow-y: auto; overflow-x: hidden; border: 1px solid var(--line); background: var(--back); }
#timeline canvas { position: sticky; top: 0; display: block; width: 100%; }
#timeline .space { position: absolute; top: 0; width: 1px; }
#tip { position: fixed; z-index: 2; display: none; max-width: 30rem; padding: 0.3rem 0.6rem; pointer-events: none;
  background: var(--text); color: var(--back); border-radius: 4px; }
.split { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0.75rem; }
@media (max-width: 900px) { .split { grid-template-columns: minmax(0, 1fr); } }
#list, #detail { height: max(18rem, 48vh); overflow: auto; border: 1px solid var(--line); background: var(--back); }
#list { position: relative; }
#list .space { width: 1px; }
.row { position: absolute; left: 0; right: 0; height: 26px; padding: 0 0.5rem; display: grid; align-items: center; gap: 0.6rem;
  grid-template-columns: 7rem minmax(4rem, 8rem) minmax(8rem, 4fr) minmax(0, 3fr) 4.5rem; white-space: nowrap; cursor: default; }
@media (max-width: 600px) {
  .row { grid-template-columns: 1.2rem minmax(3rem, 6rem) minmax(0, 1fr) 4.2rem; }
  .row > :first-child > span { display: none; }
  .wide td, .wide th { white-space: nowrap; }
  .row > :nth-child(4) { display: none; }
}
.row > * { overflow: hidden; text-overflow: ellipsis; }
.row:hover { background: var(--panel); }
.row[aria-selected='true'] { background: light-dark(#dcebfb, #22344b); }
.row .time { text-align: right; color: var(--dim); }
.status-ok { color: var(--ok); } .status-changed { color: var(--changed); } .status-skipped { color: var(--skipped); }
.status-unknown { color: var(--unknown); } .status-failed { color: var(--failed); }
.status-unreachable { color: var(--unreachable); } .status-unfinished { color: var(--unfinished); }
#detail { padding: 0.5rem 0.75rem; }
#detail pre { margin: 0.2rem 0 0.6rem; padding: 0.4rem 0.6rem; background: var(--panel); overflow: auto; max-height: 40vh; white-space: pre-wrap; overflow-wrap: anywhere; }
#detail pre span { display: block; min-height: 1.2em; }
.added { background: var(--added); } .removed { background: var(--removed); } .hunk { color: var(--dim); }
.empty { padding: 1rem; color: var(--dim); }
dialog { color: inherit; background: var(--back); border: 1px solid var(--line); border-radius: 8px; }
kbd { padding: 0 0.35em; border: 1px solid var(--line); border-radius: 4px; background: var(--panel); font-family: ui-monospace, monospace; }
@media print { #timeline, #list, #detail { height: auto; max-height: none; } .toolbar { display: none; } }
`;
