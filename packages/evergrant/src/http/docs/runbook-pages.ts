import type { Runbook } from '../../core/operate/runbook.ts'
import { RUNBOOKS } from '../../core/operate/runbook-pages.ts'
import { type Html, html } from '../html.ts'
import { frame, prose } from './pages.ts'

/** The list of all pages. */
export function runbooksPage(): string {
  return frame(
    'Runbooks',
    html`<h1>Runbooks</h1>
<p>One page for each alert: what is seen, what it may be, where to look, what to do.</p>
<ul>${RUNBOOKS.map(({ id, title }) => html`<li><a href="/docs/runbooks/${id}">${title}</a></li>`)}</ul>`,
  )
}

export function runbookPage({ title, symptom, causes, look, remedy }: Runbook): string {
  return frame(
    title,
    html`<p><a href="/docs/runbooks">Runbooks</a></p>
<h1>${title}</h1>
<h2>Symptom</h2><p>${linked(symptom)}</p>
<h2>Causes</h2><ul>${causes.map((cause) => html`<li>${linked(cause)}</li>`)}</ul>
<h2>Look</h2>${look.map(([what, command]) => html`<article><p>${what}</p><p><code>${command}</code></p></article>`)}
<h2>Remedy</h2><ol>${remedy.map((step) => html`<li>${linked(step)}</li>`)}</ol>`,
  )
}

const LINK = /\[([^\]]+)\]\(([^)]+)\)/g

/** Text with code in backticks and links; a link to a page that the server does not show is its words alone. */
function linked(text: string): readonly (Html | string)[] {
  const parts: (Html | string)[] = []
  let at = 0
  for (const found of text.matchAll(LINK)) {
    const [whole, words = '', target = ''] = found
    const id = target.replace(/\.md$/, '')
    parts.push(...prose(text.slice(at, found.index)), RUNBOOKS.some((page) => page.id === id) ? html`<a href="/docs/runbooks/${id}">${words}</a>` : words)
    at = found.index + whole.length
  }
  return [...parts, ...prose(text.slice(at))]
}
