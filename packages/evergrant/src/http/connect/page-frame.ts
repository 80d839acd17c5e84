import type { FastifyReply } from 'fastify'
import type { Brand } from '../../core/connect/brand.ts'
import { PAGE_POLICY } from '../headers.ts'
import { type Html, html } from '../html.ts'
import { DEFAULT_WORDS, LANGUAGES } from './words/languages.ts'
import type { PageWords } from './words/page-words.ts'

export interface Page {
  readonly title: string
  readonly body: Html
  readonly wide?: boolean
  /** Room for a list with a menu. */
  readonly roomy?: boolean
  /** Passkeys, and tokens that stand behind the `#` of a link, need one; everything else works without. */
  readonly script?: boolean
  /** Language and branding of a connect page. */
  readonly look?: Look
  /** The flow of this session has ended: the page tells it to our other tabs and tries to close itself. */
  readonly ended?: string
}

/** How a connect page looks, beside what it says. */
export interface Look {
  readonly words: PageWords
  /** Null where it is not known whose page it is. */
  readonly brand: Brand | null
  /** Where the page is shown in another language; null where it cannot be asked for again. */
  readonly here: string | null
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
export const ENDED_SCRIPT_PATH = '/connect/ended.js'
export const ACCENT_PATH = '/connect/accent/'

/** What is said in English, in nobody's colours. */
export const PLAIN_LOOK: Look = { words: DEFAULT_WORDS, brand: null, here: null }

function document(page: Page): string {
  const look = page.look ?? PLAIN_LOOK
  const { words, brand } = look
  const accent = brand?.accent ?? null
  const content = html`<!doctype html>
<html lang="${words.tag}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${page.title}</title>
<link rel="stylesheet" href="${STYLE_PATH}">
${
  accent === null
    ? null
    : html`<link rel="stylesheet" href="${ACCENT_PATH}${accent.slice(1)}.css">
`
}<link rel="icon" href="data:,">
${
  page.script === true
    ? html`<script src="${SCRIPT_PATH}" defer></script>
`
    : null
}${
  page.ended === undefined
    ? null
    : html`<script src="${ENDED_SCRIPT_PATH}" defer></script>
`
}</head>
<body>
<main${page.wide === true ? html` class="wide"` : page.roomy === true ? html` class="roomy"` : null}${page.ended === undefined ? null : html` data-session="${page.ended}"`}>
${page.body}
</main>
${page.wide === true ? null : footer(page, look)}
</body>
</html>
`
  return content.markup
}

function footer({ look }: Page, { words, brand, here }: Look): Html {
  if (look === undefined) return html`<footer>${words.keptSafe}</footer>`
  const { supportEmail = null, supportUrl = null, privacyUrl = null } = brand ?? {}
  const links = [
    supportUrl === null ? null : html`<a href="${supportUrl}" rel="noreferrer">${words.help}</a>`,
    supportEmail === null ? null : html`<a href="mailto:${supportEmail}">${supportEmail}</a>`,
    privacyUrl === null ? null : html`<a href="${privacyUrl}" rel="noreferrer">${words.privacy}</a>`,
  ].filter((link) => link !== null)
  return html`<footer>
${links.length === 0 ? null : html`<ul class="links">${links.map((link) => html`<li>${link}</li>`)}</ul>`}
${here === null ? null : languages(words, here)}
<p>${words.keptSafe}</p>
</footer>`
}

/** Plain links: a language can be chosen without a script, and a link in a mail may already name one. */
function languages(current: PageWords, here: string): Html {
  const join = here.includes('?') ? '&' : '?'
  const items = LANGUAGES.map(({ tag, self }) =>
    tag === current.tag
      ? html`<li><span aria-current="true" lang="${tag}">${self}</span></li>`
      : html`<li><a href="${here}${join}lang=${tag}" lang="${tag}" hreflang="${tag}">${self}</a></li>`,
  )
  return html`<nav aria-label="${current.language}"><ul class="links">${items}</ul></nav>`
}

export function sendPage(reply: FastifyReply, page: Page, headers: PageHeaders = {}): FastifyReply {
  const own =
    page.script === true
      ? `${PAGE_POLICY}; script-src 'self'; connect-src 'self'`
      : page.ended === undefined
        ? PAGE_POLICY
        : `${PAGE_POLICY}; script-src 'self'`
  const policy = headers.formAction === undefined ? own : own.replace("form-action 'self'", `form-action ${headers.formAction}`)
  if (page.look !== undefined) reply.header('content-language', page.look.words.tag)
  return reply
    .code(headers.status ?? 200)
    .header('content-security-policy', policy)
    .header('referrer-policy', headers.withForm === true ? 'same-origin' : 'no-referrer')
    .type('text/html; charset=utf-8')
    .send(document(page))
}
