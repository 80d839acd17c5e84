import type { ConnectView } from '../../core/connect/connect-view.ts'
import type { FaultCode } from '../../core/fault/fault.ts'
import { type Html, html } from '../html.ts'
import { type Look, type Page, PLAIN_LOOK } from './page-frame.ts'
import { backTo, cardPage, strong } from './page-parts.ts'
import { failureWords, problemTexts } from './problem-texts.ts'
import { causeOf, plain, say } from './words/say.ts'

/** For the Details of every page: what support asks for. */
interface PageDetails {
  readonly requestId: string
  /** Where the buttons of this page lead; null when there is nothing to press. */
  readonly action: string | null
  /** For our other tabs, once the flow has ended. */
  readonly session?: string
}

/** What became of a session, for its own browser. */
export function outcomePage(view: ConnectView, look: Look, details: PageDetails): Page {
  if (view.state === 'completed') return donePage(view, look, details)
  if (view.offersSibling) return siblingPage(view, look, details)
  if (view.state === 'exchanging') return waitingPage(view, look)
  return failurePage(view, view.fault?.code ?? (view.state === 'burned' ? 'connect_session_used' : 'connect_cancelled'), look, details)
}

function donePage(view: ConnectView, look: Look, { session }: PageDetails): Page {
  const { words } = look
  const { application, provider, account, missingScopes, doneUrl, reconnect } = view
  const title = plain(words, reconnect ? words.connectedAgain : words.connected, { P: provider })
  const as = reconnect ? words.reconnectedAs : words.connectedAs
  const missing = missingScopes.length === 0 ? null : say(words, words.missing, { x: missingScopes.join(', ') })
  const page = cardPage(
    application,
    look,
    title,
    html`<p class="lead">${account === null ? words.works : say(words, as, { A: strong(account) })} ${say(words, words.goesOn, { App: application })}</p>
${missing === null ? null : html`<div class="notice"><p>${missing}</p></div>`}
${doneUrl === null ? html`<p>${words.closeTab}</p>` : html`<div class="actions">${backTo(application, doneUrl, look, true)}</div>`}`,
  )
  return session === undefined || doneUrl !== null ? page : { ...page, ended: session }
}

/** The page behind a repair link whose connection works again: another tab, or somebody else, was first. */
export function repairedPage({ application, provider, account }: ConnectView, look: Look): Page {
  const { words } = look
  const title = plain(words, words.connected, { P: provider })
  const text = account === null ? words.repaired : words.repairedAs
  const lead = say(words, text, { App: application, A: account === null ? null : strong(account) })
  return cardPage(application, look, title, html`<p class="lead">${lead}</p>\n<p>${words.closeTab}</p>`)
}

function waitingPage({ provider, application }: ConnectView, look: Look): Page {
  const { words } = look
  const text = say(words, words.waitText, { P: provider })
  return cardPage(application, look, words.waitTitle, html`<p class="lead" aria-live="polite">${text}</p>`)
}

/** The account belongs to another connection of the same owner: offered by one button, never taken silently. */
function siblingPage(view: ConnectView, look: Look, details: PageDetails): Page {
  const { words } = look
  const { application, signedInAs, account } = view
  const { title } = problemTexts('account_mismatch', view, words)
  const other = strong(signedInAs ?? words.otherAccount)
  const places = { B: other, A: account === null ? words.otherAccount : strong(account), App: application }
  return cardPage(
    application,
    look,
    title,
    html`<p class="lead">${say(words, words.siblingText, places)}</p>
<p>${say(words, words.siblingOffer, places)}</p>
<div class="actions">
${button(details.action, 'sibling', plain(words, words.renew, { B: signedInAs }), true)}
${button(details.action, 'retry', tryAgainText('account_mismatch', view, look), false)}
${cancel(view, look)}
</div>
${detailList('account_mismatch', null, details, look)}`,
  )
}

/** One page for every failure: what happened, what it means for the person's data, the one next step. */
function failurePage(view: ConnectView, code: FaultCode, look: Look, details: PageDetails): Page {
  const { words } = look
  const { application } = view
  const { title, text, next } = failureWords(code, view, words)
  const again = !view.expired && RETRIED.has(code)
  const admin = code === 'admin_approval_required' ? view.adminUrl : null
  const stuck = !again && view.cancelUrl === null && !view.signingIn
  return cardPage(
    application,
    look,
    title,
    html`<p class="lead">${text}</p>
${admin !== null ? adminRequest(view, admin, look) : next === null ? null : html`<p>${next}</p>`}
<div class="actions">
${admin === null ? null : mailButton(view, admin, look)}
${again && admin === null ? button(details.action, 'retry', tryAgainText(code, view, look), true) : null}
${code === 'admin_approval_required' ? asAdmin(admin, details.action, look) : null}
${again && admin !== null ? button(details.action, 'retry', words.tryAgain, false) : null}
${again && view.offersNew ? button(details.action, 'new', secondaryText(code, view, look), false) : null}
${again && view.choosable && details.action !== null ? html`<a class="button" href="${details.action}?choose">${words.chooseOther}</a>` : null}
${cancel(view, look)}
${ASKS_FOR_HELP.has(code) ? helpButton(view, code, details, look) : null}
${view.signingIn ? waysBack(code, look) : null}
</div>
${stuck ? html`<p>${words.closeTab}</p>` : null}
${detailList(code, view.fault, details, look)}`,
  )
}

/** The page behind a link that was used, or has ended. Whoever holds the link may know whose it was. */
export function endedLinkPage(
  view: Pick<ConnectView, 'application'> & Partial<ConnectView>,
  code: 'connect_session_used' | 'connect_session_expired',
  look: Look,
  requestId: string,
): Page {
  const { words } = look
  const { title, text } = problemTexts(code, { provider: null, account: null, ...view }, words)
  const { doneUrl = null } = view
  return cardPage(
    view.application,
    look,
    title,
    html`<p class="lead">${text}</p>
${doneUrl === null ? html`<p>${words.closeTab}</p>` : html`<div class="actions">${backTo(view.application, doneUrl, look, true)}</div>`}
${detailList(code, null, { requestId, action: null }, look)}`,
  )
}

/** Only the people behind the application can mend these. */
const ASKS_FOR_HELP: ReadonlySet<FaultCode> = new Set(['client_rejected', 'connect_failed', 'internal'])

function helpButton({ application, provider }: ConnectView, code: FaultCode, { requestId }: PageDetails, { words, brand }: Look): Html | null {
  const subject = `${application}: ${provider} (${code}, ${requestId})`
  const address = brand?.supportUrl ?? (brand?.supportEmail == null ? null : mailto(brand.supportEmail, { subject }))
  return address === null ? null : html`<a class="button" href="${address}" rel="noreferrer">${words.help}</a>`
}

function mailto(to: string, fields: Readonly<Record<string, string>>): string {
  const query = Object.entries(fields).map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
  return `mailto:${to}?${query.join('&')}`
}

/** The link to send on. It can be marked and copied without a script. */
function adminRequest({ provider, application }: ConnectView, url: string, { words }: Look): Html {
  const places = { P: provider, App: application }
  return html`<p>${say(words, words.adminNext, places)}</p>
<label for="admin-link">${words.adminLink}</label>
<input type="text" id="admin-link" value="${url}" readonly>`
}

function mailButton({ provider, application }: ConnectView, url: string, { words }: Look): Html {
  const places = { P: provider, App: application }
  const subject = plain(words, words.adminSubject, places)
  const body = `${plain(words, words.adminMessage, places)}\n\n${url}\n`
  return html`<a class="button primary" href="${mailto('', { subject, body })}">${words.adminMail}</a>`
}

/** At the provider's page for administrators; where it has none, once more through the flow, with another account. */
function asAdmin(url: string | null, action: string | null, { words }: Look): Html | null {
  const text = causeOf(words, 'admin_approval_required')?.secondary ?? words.tryAgain
  return url === null ? button(action, 'retry', text, false) : html`<a class="button" href="${url}" rel="noreferrer">${text}</a>`
}

function secondaryText(code: FaultCode, view: ConnectView, { words }: Look): string {
  return plain(words, causeOf(words, code)?.secondary ?? words.tryAgain, { P: view.provider, B: view.fault?.providerText })
}

/** Failures after which the same person can do the same again with a better end. */
const RETRIED: ReadonlySet<FaultCode> = new Set([
  'account_mismatch',
  'admin_approval_required',
  'connect_cancelled',
  'connect_failed',
  'connect_session_expired',
  'connect_state_mismatch',
  'draining',
  'internal',
  'outcome_unknown',
  'overloaded',
  'provider_rate_limited',
  'provider_unavailable',
  'store_unavailable',
])

function tryAgainText(code: FaultCode, { account }: ConnectView, { words }: Look): string {
  const { primary } = problemTexts(code, { provider: null, account }, words)
  return code === 'account_mismatch' && account !== null && primary !== null ? primary : words.tryAgain
}

function button(action: string | null, step: string, text: string, primary: boolean): Html | null {
  if (action === null) return null
  return html`<form method="post" action="${action}"><input type="hidden" name="step" value="${step}"><button class="button${primary ? ' primary' : ''}" type="submit">${text}</button></form>`
}

function cancel({ cancelUrl, application }: ConnectView, look: Look): Html | null {
  return cancelUrl === null ? null : backTo(application, cancelUrl, look, false)
}

/** Where somebody goes on whose sign-in did not work out. */
function waysBack(code: FaultCode, { words }: Look): Html {
  if (code === 'reauthentication_required') return html`<a class="button primary" href="/auth/confirm?return_url=%2Fme%2Fsecurity">${words.confirmYou}</a>`
  return html`<a class="button" href="/auth/sign-in">${words.otherWays}</a>`
}

function detailList(code: FaultCode, said: ConnectView['fault'], details: PageDetails, { words }: Look): Html {
  return html`<details><summary>${words.details}</summary><dl>
<dt>${words.reason}</dt><dd><code>${code}</code></dd>
${said?.providerCode == null ? null : html`<dt>${words.providerSaid}</dt><dd><code>${said.providerCode}</code></dd>`}
${said?.providerText == null || code === 'account_mismatch' ? null : html`<dt>${words.inItsWords}</dt><dd>${said.providerText}</dd>`}
<dt>${words.requestId}</dt><dd><code>${details.requestId}</code></dd>
</dl></details>`
}

/** A page for a browser that has not proven which session is its own: nothing of any session is on it. */
export function problemPage(code: FaultCode, requestId: string, text?: string, look: Look = PLAIN_LOOK): Page {
  const { words } = look
  const told = problemTexts(code, { provider: null, account: null, application: null }, words)
  return {
    title: told.title,
    look,
    body: html`<div class="card">
<h1>${told.title}</h1>
<p class="lead">${text ?? told.text}</p>
<p>${words.closeTab}</p>
${detailList(code, null, { requestId, action: null }, look)}
</div>`,
  }
}
