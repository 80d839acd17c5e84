/** The one style sheet of every hosted page. System fonts, no image, light and dark by the reader's own setting. */
export const STYLESHEET = `:root {
  color-scheme: light dark;
  --paper: #f4f5f7; --card: #ffffff; --ink: #16191d; --soft: #555d68; --line: #d9dde3;
  --accent: #0b5fbf; --accent-ink: #ffffff; --accent-down: #094c99; --focus: #0b5fbf;
  --good: #10703c; --good-paper: #e7f5ec; --warn: #8a4b00; --warn-paper: #fdf1e0; --bad: #a61b1b; --bad-paper: #fcebea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #111418; --card: #1a1e24; --ink: #eceff3; --soft: #a7b0bc; --line: #333a44;
    --accent: #6cb0ff; --accent-ink: #0b1420; --accent-down: #8cc1ff; --focus: #8cc1ff;
    --good: #7fd6a2; --good-paper: #14301f; --warn: #f1bd74; --warn-paper: #33260f; --bad: #ff9d97; --bad-paper: #3a1a1a;
  }
}
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; overflow-wrap: anywhere; }
main { width: 100%; max-width: 34rem; margin: 0 auto; padding: 3.5rem 1rem 2rem; }
main.wide { max-width: 60rem; padding-top: 2.5rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: 2rem; }
.card + .card { margin-top: 1rem; }
.card > :first-child { margin-top: 0; }
.card > :last-child { margin-bottom: 0; }
.columns + p { margin: 1.25rem 0 0; }
h1 { text-wrap: balance; font-size: 1.5rem; line-height: 1.25; margin: 0 0 .75rem; font-weight: 650; letter-spacing: -.01em; }
h2 { font-size: 1.0625rem; line-height: 1.35; margin: 1.5rem 0 .5rem; font-weight: 650; }
h1:focus { outline: none; }
p { margin: 0 0 1rem; }
p.lead { font-size: 1.0625rem; }
.soft { color: var(--soft); }
.small { font-size: .875rem; }
.eyebrow { color: var(--soft); font-size: .875rem; margin: 0 0 .5rem; }
dl.facts { margin: 1.25rem 0; border-top: 1px solid var(--line); }
dl.facts > div { display: grid; grid-template-columns: 8.5rem 1fr; gap: .75rem; padding: .625rem 0; border-bottom: 1px solid var(--line); }
dl.facts dt { color: var(--soft); margin: 0; }
dl.facts dd { margin: 0; font-weight: 550; min-width: 0; }
ul.plain { margin: 0 0 1rem; padding: 0; list-style: none; }
ul.plain li { padding: .375rem 0 .375rem 1.25rem; position: relative; }
ul.plain li::before { content: ""; position: absolute; left: .125rem; top: .95rem; width: .4rem; height: .4rem; border-radius: 50%; background: var(--accent); }
label { display: block; font-weight: 600; margin: 1rem 0 .25rem; }
[hidden] { display: none !important; }
input[type="text"], input[type="email"], input[type="password"], select { width: 100%; font: inherit; color: inherit; background: var(--card); border: 1px solid var(--soft); border-radius: .5rem; padding: .625rem .75rem; min-height: 2.75rem; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
main.roomy { max-width: 44rem; }
.card p.small > a { display: inline-block; padding: .25rem 0; }
.card > p.after { margin-top: 1.25rem; }
.ways { display: grid; gap: .75rem; margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
.ways form { margin: 0; }
.ways .button { width: 100%; }
.ways:not(:has(> :not([hidden]))) { display: none; }
.top { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; justify-content: space-between; margin-bottom: 1rem; }
.top p { margin: 0; }
.who { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; min-width: 0; font-weight: 600; }
.who form { margin: 0; flex: none; }
.sections ul { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; margin: 0 0 1rem; padding: 0; }
.sections a { display: inline-flex; align-items: center; min-height: 2.75rem; padding: .25rem .875rem; border-radius: .5rem; color: var(--ink); text-decoration: none; font-weight: 600; }
.sections a:hover { background: var(--card); }
.sections a[aria-current] { background: var(--card); box-shadow: inset 0 0 0 1px var(--line), inset 0 -3px 0 var(--accent); }
ul.items { list-style: none; margin: 0 0 1rem; padding: 0; }
ul.items > li { border-top: 1px solid var(--line); padding: 1.25rem 0; }
ul.items > li:last-child { padding-bottom: .25rem; }
ul.items .actions { margin-top: 1rem; }
.item-head { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: center; }
.item-head h2, .item-head h3 { margin: 0; font-size: 1.0625rem; font-weight: 650; }
p.account { margin: .125rem 0 .5rem; }
ul.items details { margin-top: .5rem; border-top: 0; padding-top: 0; }
ul.items details ul { margin: .5rem 0 0; }
ul.codes { list-style: none; margin: 1rem 0; padding: 1rem 1.25rem; display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: .5rem 1.5rem; border: 1px solid var(--line); border-radius: .5rem; }
ul.codes code, .key code { font-size: 1rem; }
p.key { margin: .5rem 0; }
.hint { color: var(--soft); font-size: .875rem; margin: .25rem 0 0; }
.error { color: var(--bad); font-weight: 550; margin: .25rem 0 0; }
.error:empty { margin: 0; }
.actions { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; align-items: center; }
.actions form { margin: 0; }
.button { display: inline-flex; align-items: center; justify-content: center; min-height: 2.75rem; padding: .5rem 1.125rem; border-radius: .5rem; border: 1px solid var(--line); background: transparent; color: var(--ink); font: inherit; font-weight: 600; text-decoration: none; cursor: pointer; text-align: center; }
.button:hover { border-color: var(--soft); }
.button.primary { background: var(--accent); border-color: var(--accent); color: var(--accent-ink); }
.button.primary:hover { background: var(--accent-down); border-color: var(--accent-down); }
.button.danger { color: var(--bad); border-color: var(--bad); }
a { color: var(--accent); }
a.button { color: var(--ink); }
a.button.primary { color: var(--accent-ink); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
.notice { border-radius: .5rem; padding: .75rem 1rem; margin: 0 0 1.25rem; background: var(--warn-paper); color: var(--warn); }
.notice.good { background: var(--good-paper); color: var(--good); }
.notice.bad { background: var(--bad-paper); color: var(--bad); }
.notice p:last-child { margin-bottom: 0; }
details { margin-top: 1.5rem; border-top: 1px solid var(--line); padding-top: .875rem; color: var(--soft); font-size: .875rem; }
summary { cursor: pointer; }
details dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .75rem 0 0; }
details dt { margin: 0; } details dd { margin: 0; min-width: 0; }
code, .mono { font: .875em/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace; }
footer { max-width: 34rem; margin: 0 auto; padding: 0 1rem 2.5rem; color: var(--soft); font-size: .8125rem; text-align: center; }
main.wide + footer { max-width: 60rem; }
footer p { margin: 0; }
footer a { color: inherit; }
ul.links { display: flex; flex-wrap: wrap; justify-content: center; gap: .125rem 1rem; list-style: none; margin: 0 0 .5rem; padding: 0; }
ul.links a, ul.links span { display: inline-flex; align-items: center; min-height: 1.75rem; }
ul.links [aria-current] { font-weight: 650; color: var(--ink); }
.masthead { margin: 0 0 1rem; }
img.logo { display: block; height: 3rem; width: auto; max-width: 100%; object-fit: contain; object-position: left; }
@media (prefers-color-scheme: dark) { img.logo { background: #ffffff; padding: .375rem; border-radius: .375rem; } }
ul.choices { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .5rem; }
ul.choices .button { width: 100%; justify-content: space-between; min-height: 3.25rem; text-align: left; }
.onward { flex: none; width: .5rem; height: .5rem; margin-left: 1rem; border: solid var(--soft); border-width: 2px 2px 0 0; transform: rotate(45deg); }
.badge { display: inline-block; border-radius: 1rem; padding: .125rem .625rem; font-size: .875rem; font-weight: 600; background: var(--warn-paper); color: var(--warn); }
.badge.plain { background: var(--paper); color: var(--soft); }
.badge.good { background: var(--good-paper); color: var(--good); }
.badge.bad { background: var(--bad-paper); color: var(--bad); }
.columns { display: grid; grid-template-columns: 1fr; gap: 1rem; }
.columns > .card { margin: 0; }
ol.steps { margin: 0 0 1rem; padding-left: 1.25rem; } ol.steps li { padding: .125rem 0; }
ol.timeline { list-style: none; margin: 0; padding: 0; }
ol.timeline li { display: grid; grid-template-columns: 5.5rem 1fr; gap: .75rem; padding: .5rem 0; border-bottom: 1px solid var(--line); }
ol.timeline li:last-child { border-bottom: 0; }
ol.timeline time { color: var(--soft); font-variant-numeric: tabular-nums; }
@media (min-width: 54rem) { .columns { grid-template-columns: 1.15fr 1fr; align-items: start; } }
@media (max-width: 30rem) {
  main, main.wide { padding: 1.25rem .75rem 1.5rem; }
  .card { padding: 1.25rem; }
  dl.facts > div { grid-template-columns: 1fr; gap: 0; }
  .actions .button, .actions form { width: 100%; }
  .sections ul { display: grid; grid-template-columns: 1fr 1fr; }
  .sections a { width: 100%; justify-content: center; }
  .sections li:last-child:nth-child(odd) { grid-column: 1 / -1; }
}
@media (forced-colors: active) { .button { border: 1px solid ButtonText; } }
`
