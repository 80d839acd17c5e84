const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

const STYLE = `
:root { color-scheme: light dark; --page: #f4f5f7; --card: #ffffff; --text: #1b1f24; --soft: #57606a; --line: #d5dae0; --accent: #0b6e4f; --accent-text: #ffffff; --bad: #b3261e; --good: #0b6e4f; }
@media (prefers-color-scheme: dark) { :root { --page: #101418; --card: #191f25; --text: #e6eaee; --soft: #9aa5b1; --line: #313a44; --accent: #4cc38a; --accent-text: #06281b; --bad: #ff8a80; --good: #4cc38a; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
main { width: 100%; margin: 0 auto; padding: 24px 16px 48px; }
main.narrow { max-width: 30rem; } main.wide { max-width: 70rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 24px; margin-bottom: 16px; }
.brand { display: flex; align-items: center; gap: 10px; color: var(--soft); font-size: 14px; margin: 8px 0 16px; }
.mark { width: 28px; height: 28px; border-radius: 8px; background: var(--accent); color: var(--accent-text); display: grid; place-items: center; font-weight: 700; }
h1 { font-size: 1.45rem; line-height: 1.25; margin: 0 0 8px; } h2 { font-size: 1.05rem; margin: 0 0 4px; }
p { margin: 0 0 12px; } .card > :last-child { margin-bottom: 0; } .soft { color: var(--soft); font-size: 14px; }
fieldset { border: 1px solid var(--line); border-radius: 8px; margin: 0 0 16px; padding: 8px 14px 12px; } legend { font-weight: 600; padding: 0 6px; font-size: 14px; }
label.choice { display: flex; gap: 10px; align-items: center; padding: 5px 0; overflow-wrap: anywhere; }
input[type=radio], input[type=checkbox] { width: 18px; height: 18px; accent-color: var(--accent); flex: none; }
input[type=text] { width: 100%; padding: 8px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--page); color: var(--text); font: inherit; }
.row { display: flex; gap: 10px; flex-wrap: wrap; }
button { font: inherit; font-weight: 600; padding: 9px 18px; border-radius: 8px; border: 1px solid var(--line); background: var(--card); color: var(--text); cursor: pointer; }
button.main { background: var(--accent); border-color: var(--accent); color: var(--accent-text); } .row.big button { flex: 1 1 8rem; }
button.small { padding: 4px 10px; font-size: 14px; font-weight: 500; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, monospace; overflow-wrap: anywhere; }
.live { color: var(--good); font-weight: 600; } .ended { color: var(--bad); font-weight: 600; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 14px; margin: 8px 0 14px; font-size: 14px; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.grid { display: grid; gap: 16px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); } .grid .card { margin: 0; }
`

/** A whole page: no script, light and dark, narrow and wide. `body` is HTML that is already escaped. */
export function page(title: string, width: 'narrow' | 'wide', body: string, refreshSeconds: number | null = null): string {
  const refresh = refreshSeconds === null ? '' : `<meta http-equiv="refresh" content="${refreshSeconds}">`
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${refresh}
<title>${escapeHtml(title)}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main class="${width}"><div class="brand"><span class="mark" aria-hidden="true">P</span>Practice provider</div>
${body}
</main></body></html>`
}
