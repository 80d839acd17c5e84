import { FAULT_CLASSES, faultsOf } from '../../core/fault/errors-page.ts'
import { type Html, html } from '../html.ts'
import type { ApiField, ApiGroup, ApiOperation } from './api-document.ts'

export const DOCS_STYLE_PATH = '/docs/style.css'

/** The API reference: no script, no request to anywhere else. */
export function apiPage(groups: readonly ApiGroup[], description: string): string {
  const contents = groups.map((group) => html`<li><a href="#${group.tag}">${group.tag}</a></li>`)
  return frame(
    'API reference',
    html`<h1>API reference</h1>
<p>${prose(description)}</p>
<p><a href="/api/v1/openapi.json">OpenAPI 3.1 document</a> · <a href="/docs/errors">Errors</a></p>
<nav aria-label="Areas"><ul class="areas">${contents}</ul></nav>
${groups.map((group) => html`<section><h2 id="${group.tag}">${group.tag}</h2>${group.operations.map(operationHtml)}</section>`)}`,
  )
}

/** The error reference; every problem's \`type\` leads to one of its anchors. */
export function errorsPage(): string {
  return frame(
    'Errors',
    html`<h1>Errors</h1>
<p>Every error is an <code>application/problem+json</code> document. Decide by <code>code</code>; texts may change. 401 means only that the credential you sent is not valid; 503 means that nobody can tell right now, and nothing was lost.</p>
<p><a href="/docs/api">API reference</a></p>
${FAULT_CLASSES.map(
  ({ id, title, text }) =>
    html`<section><h2 id="class-${id}">${title}</h2><p>${prose(text)}</p>${faultsOf(id).map(
      ([code, row]) => html`<article id="${code}"><h3><code>${code}</code> <span class="soft">HTTP ${row.status}</span></h3>
<p><strong>${row.title}</strong></p>
<dl><dt>For the operator</dt><dd>${prose(row.operator)}</dd><dt>For the end user</dt><dd>${row.endUser}</dd><dt>Next step</dt><dd><code>${row.action}</code></dd><dt>Effect</dt><dd>${row.effect}</dd><dt>Tried again</dt><dd>${row.retry}</dd></dl></article>`,
    )}</section>`,
)}`,
  )
}

function operationHtml(operation: ApiOperation): Html {
  const { method, path, summary, description, parameters, body, answers } = operation
  return html`<details id="${anchorOf(method, path)}"><summary><span class="method">${method}</span> <code>${path}</code> <span class="soft">${summary}</span></summary>
${description === '' ? null : description.split('\n\n').map((part) => html`<p>${prose(part)}</p>`)}
${fieldTable('Parameters', parameters)}${fieldTable('Body', body)}${answers.map((answer) => fieldTable(`Answer ${answer.status}`, answer.fields))}
</details>`
}

function fieldTable(title: string, fields: readonly ApiField[]): Html | null {
  if (fields.length === 0) return null
  return html`<h4>${title}</h4><dl class="fields">${fields.map(
    (field) =>
      html`<div><dt><code>${field.name}</code>${field.required ? html` <span class="mark">required</span>` : null}</dt><dd><span class="soft">${field.type}</span> ${prose(field.description)}</dd></div>`,
  )}</dl>`
}

function anchorOf(method: string, path: string): string {
  return `${method}-${path}`.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}

/** Text with \`code\` in backticks. */
export function prose(text: string): readonly (Html | string)[] {
  return text.split('`').map((part, index) => (index % 2 === 1 ? html`<code>${part}</code>` : part))
}

export function frame(title: string, body: Html): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Evergrant</title>
<link rel="stylesheet" href="${DOCS_STYLE_PATH}">
<link rel="icon" href="data:,">
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup
}

export const DOCS_STYLE = `:root { color-scheme: light dark; --paper: #f4f5f7; --card: #fff; --ink: #16191d; --soft: #555d68; --line: #d9dde3; --accent: #0b5fbf; }
@media (prefers-color-scheme: dark) { :root { --paper: #111418; --card: #1a1e24; --ink: #eceff3; --soft: #a7b0bc; --line: #333a44; --accent: #6cb0ff; } }
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif; overflow-wrap: anywhere; }
main { max-width: 60rem; margin: 0 auto; padding: 2.5rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 1rem; letter-spacing: -.01em; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
h4 { font-size: .875rem; margin: 1rem 0 .25rem; color: var(--soft); }
p { margin: 0 0 .75rem; max-width: 44rem; }
a { color: var(--accent); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.soft { color: var(--soft); font-weight: 400; }
.mark { font-size: .75rem; color: var(--accent); }
.areas { display: flex; flex-wrap: wrap; gap: .25rem 1rem; margin: 0; padding: 0; list-style: none; }
.areas a { display: inline-block; padding: .375rem 0; }
details, article { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: 0 0 .5rem; padding: .75rem 1rem; }
article:target { border-color: var(--accent); }
summary { cursor: pointer; min-height: 1.75rem; }
summary + * { margin-top: .75rem; }
.method { display: inline-block; min-width: 4rem; font-weight: 650; font-size: .875rem; color: var(--accent); }
dl { margin: 0; }
dt { font-weight: 600; }
article dt { font-size: .875rem; color: var(--soft); margin-top: .375rem; }
dd { margin: 0; }
.fields > div { display: grid; grid-template-columns: minmax(9rem, 16rem) 1fr; gap: .25rem 1rem; padding: .375rem 0; border-top: 1px solid var(--line); }
@media (max-width: 40rem) { .fields > div { grid-template-columns: 1fr; } summary .soft { display: block; } }
`
