import type { ChoiceView } from '../../core/connect/choices.ts'
import { html } from '../html.ts'
import type { Look, Page } from './page-frame.ts'
import { card, strong } from './page-parts.ts'
import { plain } from './words/say.ts'

/** Where the end user chooses what to connect. Each choice is a plain link to the page that says what it is asked for. */
export function choicePage(view: ChoiceView, look: Look, address: string): Page {
  const { words } = look
  const title = plain(words, words.chooseTitle, { App: view.application })
  const items = view.options.map(
    ({ slug, name }) =>
      html`<li><a class="button" href="${address}?integration=${encodeURIComponent(slug)}">${name}<span class="onward" aria-hidden="true"></span></a></li>`,
  )
  return {
    title,
    look,
    body: html`${card(
      view.application,
      look,
      title,
      html`<p class="lead">${words.chooseLead}</p>
<ul class="choices">${items}</ul>
<p class="soft small">${words.whose}: ${strong(view.owner)}</p>
${view.cancelUrl === null ? null : html`<div class="actions"><a class="button" href="${view.cancelUrl}" rel="noreferrer">${words.cancel}</a></div>`}`,
    )}
<div class="card small soft"><p>${words.trust}${view.cancelUrl === null ? html` ${words.toStop}` : null}</p></div>`,
  }
}
