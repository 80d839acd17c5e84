import type { Brand } from '../../core/connect/brand.ts'
import { type Html, html } from '../html.ts'
import type { Look, Page } from './page-frame.ts'
import { say } from './words/say.ts'

/** Whose page it is: the logo, or the name. */
function masthead(application: string, brand: Brand | null): Html {
  if (brand?.logo == null) return html`<p class="eyebrow">${application}</p>`
  return html`<p class="masthead"><img class="logo" src="${brand.logo}" alt="${application}"></p>`
}

/** What the application's operators have to say while something is down. */
function statusNotice(brand: Brand | null): Html | null {
  return brand?.statusText == null ? null : html`<div class="notice" role="status"><p>${brand.statusText}</p></div>`
}

/** A page that is one card and nothing else. */
export function cardPage(application: string, look: Look, title: string, content: Html): Page {
  return { title, look, body: card(application, look, title, content) }
}

/** The card of every page about a session. */
export function card(application: string, { brand }: Look, title: string, content: Html): Html {
  return html`<div class="card">
${masthead(application, brand)}
${statusNotice(brand)}
<h1>${title}</h1>
${content}
</div>`
}

export const strong = (text: string): Html => html`<strong>${text}</strong>`

export function backTo(application: string, url: string, { words }: Look, primary: boolean): Html {
  return html`<a class="button${primary ? ' primary' : ''}" href="${url}" rel="noreferrer">${say(words, words.backTo, { App: application })}</a>`
}
