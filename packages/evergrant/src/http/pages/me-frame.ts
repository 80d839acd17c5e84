import type { Page } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import { act, good } from './form-html.ts'

const SECTIONS = [
  ['/me', 'Connections'],
  ['/me/programs', 'Programs'],
  ['/me/devices', 'Devices'],
  ['/me/security', 'Signing in'],
  ['/me/data', 'Your data'],
] as const

export interface MeFrame {
  readonly application: string
  /** What the person is called. */
  readonly name: string
  readonly current: (typeof SECTIONS)[number][0]
  readonly title: string
  readonly done?: string | undefined
  readonly script?: boolean
  /** Only the present part can be used, so there is no way to the others. */
  readonly limited?: boolean
}

/** The owner's page: one frame for its parts. */
export function mePage({ application, name, current, title, done, script, limited = false }: MeFrame, content: Html): Page {
  return {
    title: `${title} - ${application}`,
    ...(script === undefined ? {} : { script }),
    roomy: true,
    body: html`<header class="top"><p class="eyebrow">${application}</p><div class="who"><span>${name}</span>${act('/auth/sign-out', 'Sign out')}</div></header>
${limited ? null : sections(current)}
<div class="card">
${good(done)}${content}
</div>`,
  }
}

function sections(current: MeFrame['current']): Html {
  const items = SECTIONS.map(([path, text]) => html`<li><a href="${path}"${path === current ? html` aria-current="page"` : null}>${text}</a></li>`)
  return html`<nav class="sections" aria-label="Your page"><ul>${items}</ul></nav>`
}

/** The page of an owner who has no user: their connections, and nothing else. */
export function visitFrame(application: string, done: string | undefined, content: Html): Page {
  return {
    title: `Your connections - ${application}`,
    roomy: true,
    body: html`<header class="top"><p class="eyebrow">${application}</p><div class="who">${act('/me/visit/leave', 'Leave this page')}</div></header>
<div class="card">
${good(done)}${content}
</div>`,
  }
}
