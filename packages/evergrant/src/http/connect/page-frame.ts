import type { FastifyReply } from 'fastify'
import { PAGE_POLICY } from '../headers.ts'
import { type Html, html } from '../html.ts'

export interface Page {
  readonly title: string
  readonly body: Html
  readonly wide?: boolean
  /** Room for a list with a menu. */
  readonly roomy?: boolean
  /** Passkeys, and tokens that stand behind the `#` of a link, need one; everything else works without. */
  readonly script?: boolean
}

export interface PageHeaders {
  readonly status?: number
  /** Where a form of this page may lead, redirects included; our own origin by default. */
  readonly formAction?: string
  /** With forms, our own origin has to be told (a form without a referrer policy sends no Origin). Elsewhere: nothing. */
  readonly withForm?: boolean
}

export const STYLE_PATH = '/connect/style.css'
export const SCRIPT_PATH = '/auth/page.js'

export function document(page: Page): string {
  const content = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<link rel="stylesheet" href="${STYLE_PATH}">
<link rel="icon" href="data:,">
${
  page.script === true
    ? html`<script src="${SCRIPT_PATH}" defer></script>
`
    : null
}</head>
<body>
<main${page.wide === true ? html` class="wide"` : page.roomy === true ? html` class="roomy"` : null}>
${page.body}
</main>
${page.wide === true ? null : html`<footer>Sign-in kept safe by Evergrant</footer>`}
</body>
</html>
`
  return content.markup
}

export function sendPage(reply: FastifyReply, page: Page, headers: PageHeaders = {}): FastifyReply {
  const own = page.script === true ? `${PAGE_POLICY}; script-src 'self'; connect-src 'self'` : PAGE_POLICY
  const policy = headers.formAction === undefined ? own : own.replace("form-action 'self'", `form-action ${headers.formAction}`)
  return reply
    .code(headers.status ?? 200)
    .header('content-security-policy', policy)
    .header('referrer-policy', headers.withForm === true ? 'same-origin' : 'no-referrer')
    .type('text/html; charset=utf-8')
    .send(document(page))
}
