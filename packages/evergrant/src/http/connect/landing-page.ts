import type { AskedVariable, ConnectView } from '../../core/connect/connect-view.ts'
import type { FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import { type Html, html } from '../html.ts'
import type { Look, Page } from './page-frame.ts'
import { card, strong } from './page-parts.ts'
import { scopeWords } from './scope-words.ts'
import { dayIn } from './words/languages.ts'
import { bodyOf, causeOf, plain, say } from './words/say.ts'

export interface FormProblem {
  readonly variable: string
  readonly form: Readonly<Record<string, string>>
}

export interface Landing {
  /** Where its button leads. */
  readonly action: string
  /** Further fields of its form. */
  readonly hidden?: Readonly<Record<string, string>>
  /** Back to the page on which this integration was chosen. */
  readonly chooseUrl?: string | null
  readonly problem?: FormProblem | null
  /** The other thing to do than the main one. */
  readonly aside?: Aside | null
  /** What ended the grant, and when (milliseconds since 1970). */
  readonly stopped?: { readonly code: FaultCode; readonly at: number } | null
}

/** `remind`: a calendar entry for tomorrow. `disconnect`: asks first. `later`: nothing happens, which it says. */
export interface Aside {
  readonly kind: 'remind' | 'disconnect' | 'later'
  readonly url: string
}

const ASIDE_CAUSES = { remind: 'connection_expired', disconnect: 'connection_revoked', later: 'scope_missing' } as const

/**
 * The page behind a link: who asks, for whom, for what and, where that is known, what ended the grant. Its button starts
 * the flow; looking at it changes nothing.
 */
export function landingPage(view: ConnectView, look: Look, landing: Landing): Page {
  const { words } = look
  const { application, provider, cancelUrl } = view
  const places = { P: provider, App: application }
  const title = plain(words, view.reconnect ? words.reconnectTitle : words.connectTitle, places)
  const { stopped = null, chooseUrl = null, problem = null, hidden = {}, aside = null } = landing
  return {
    title,
    look,
    body: html`${card(
      application,
      look,
      title,
      html`${stopped === null ? lead(view, look) : stoppedLead(view, look, stopped)}
<dl class="facts">
<div><dt>${words.application}</dt><dd>${application}</dd></div>
<div><dt>${words.whose}</dt><dd>${view.owner}</dd></div>
${view.account === null ? null : html`<div><dt>${say(words, words.accountAt, places)}</dt><dd>${view.account}</dd></div>`}
</dl>
${endsAnother(view, look)}${permissions(view, look)}
<form method="post" action="${landing.action}">
${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}
${view.asked.map((variable) => field(variable, problem, look))}
<div class="actions">
<button class="button primary" type="submit">${stopped === null ? say(words, words.continueTo, places) : mainStep(view, look, stopped.code)}</button>
${chooseUrl === null ? null : html`<a class="button" href="${chooseUrl}">${words.chooseOther}</a>`}
${aside === null ? null : html`<a class="button" href="${aside.url}">${causeOf(words, ASIDE_CAUSES[aside.kind])?.secondary}</a>`}
${cancelUrl === null ? null : html`<a class="button" href="${cancelUrl}" rel="noreferrer">${words.cancel}</a>`}
</div>
</form>`,
    )}
<div class="card small soft">
<p>${say(words, words.ownSite, places)}</p>
<p>${words.trust}${cancelUrl === null ? html` ${words.toStop}` : null}${view.reconnect && stopped === null ? html` ${say(words, words.validUntil, { date: dayIn(words.tag, view.expiresAt) })}` : null}</p>
</div>`,
  }
}

function lead({ application, provider, reconnect, account }: ConnectView, { words }: Look): Html {
  if (!reconnect) return html`<p class="lead">${say(words, words.connectLead, { App: application, P: provider })}</p>`
  const who = account === null ? words.usedBefore : strong(account)
  return html`<p class="lead">${say(words, words.reconnectLead, { App: application, A: who })}</p>`
}

/** In the words of the cause; `Continue to` where it has none. */
function mainStep({ provider, account }: ConnectView, { words }: Look, code: FaultCode): Html {
  return say(words, causeOf(words, code)?.primary ?? words.continueTo, { P: provider, A: account })
}

function stoppedLead({ provider, account }: ConnectView, { words }: Look, { code, at }: { readonly code: FaultCode; readonly at: number }): Html {
  const cause = causeOf(words, code)
  const places = { P: provider, A: account, date: dayIn(words.tag, at) }
  const text =
    cause === undefined
      ? html`<span lang="en">${fillWords(FAULTS[code].endUser, { provider, account })}</span>`
      : say(words, bodyOf(cause, new Set(['date'])), places)
  const who = account === null ? words.usedBefore : strong(account)
  return html`<p class="lead">${text}${code === 'connection_revoked' ? html` ${words.nothingDeleted}` : null}</p>
<p>${say(words, words.repairLead, { A: who })}</p>`
}

/** Said before it happens: nobody can take it back. */
function endsAnother({ endsAnother: ends, provider, application }: ConnectView, { words }: Look): Html | null {
  if (ends === null) return null
  const text = ends === 'certainly' ? words.endsCertainly : words.endsPerhaps
  return html`<div class="notice"><p>${say(words, text, { P: provider, App: application })}</p></div>`
}

function permissions(view: ConnectView, { words }: Look): Html | null {
  if (view.scopes.length === 0) return null
  const items = view.scopes.map((scope) => scopeWords(view.providerId, scope, view.scopeMeanings, words))
  return html`<h2>${say(words, words.mayDo, { App: view.application })}</h2>
<ul class="plain">${items.map(({ words: text, scope, lang }) => html`<li${lang === words.tag ? null : html` lang="${lang}"`}>${scope === null ? html`<code>${text}</code>` : text}</li>`)}</ul>`
}

function field(variable: AskedVariable, problem: FormProblem | null, look: Look): Html {
  const id = `variable-${variable.name}`
  const value = problem?.form[variable.name] ?? variable.value
  const wrong = problem?.variable === variable.name
  if (variable.choices !== null) return choice(variable, variable.choices, value, wrong, look)
  const { words } = look
  return html`<label for="${id}"${inEnglish(look)}>${variable.label}</label>
<input type="text" id="${id}" name="${variable.name}" value="${value}" maxlength="255" required autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${id}-${wrong ? 'error' : 'hint'}"${wrong ? html` aria-invalid="true" autofocus` : null}>
${wrong ? null : html`<p class="hint" id="${id}-hint">${say(words, words.example, { x: variable.example })}</p>`}
${wrong ? html`<p class="error" role="alert" id="${id}-error">${say(words, words.notValid, { n: variable.label, x: variable.example })}</p>` : null}`
}

/** The only values there are: nothing to type, and so nothing to get wrong. */
function choice(variable: AskedVariable, choices: NonNullable<AskedVariable['choices']>, value: string | null, wrong: boolean, look: Look): Html {
  const { words } = look
  const id = `variable-${variable.name}`
  const options = Object.entries(choices).map(([name, { label }]) => html`<option value="${name}"${name === value ? html` selected` : null}>${label}</option>`)
  const names = Object.entries(choices).map(([name, { label }]) => (label === name ? name : `${name} (${label})`))
  return html`<label for="${id}"${inEnglish(look)}>${variable.label}</label>
<select id="${id}" name="${variable.name}" required${wrong ? html` aria-invalid="true" aria-describedby="${id}-error" autofocus` : null}>
${options}
</select>
${wrong ? html`<p class="error" role="alert" id="${id}-error">${say(words, words.notChoice, { n: variable.label, x: names.join(', ') })}</p>` : null}`
}

/** Records name their fields in English; a screen reader is told so. */
function inEnglish({ words }: Look): Html | null {
  return words.tag === 'en' ? null : html` lang="en"`
}
