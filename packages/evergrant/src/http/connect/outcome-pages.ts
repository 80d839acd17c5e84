import type { ConnectView } from '../../core/connect/connect-view.ts'
import type { FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import { type Html, html } from '../html.ts'
import type { Page } from './page-frame.ts'

/** For the Details of every page: what support asks for. */
export interface PageDetails {
  readonly requestId: string
  /** Where the buttons of this page lead; null when there is nothing to press. */
  readonly action: string | null
}

/** What became of a session, for its own browser. */
export function outcomePage(view: ConnectView, details: PageDetails): Page {
  if (view.state === 'completed') return donePage(view)
  if (view.offersSibling) return siblingPage(view, details)
  if (view.state === 'exchanging') return waitingPage(view)
  return failurePage(view, view.fault?.code ?? (view.state === 'burned' ? 'connect_session_used' : 'connect_cancelled'), details)
}

function donePage(view: ConnectView): Page {
  const { application, provider, account, missingScopes } = view
  const title = view.reconnect ? `${provider} is connected again` : `${provider} is connected`
  return {
    title,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${title}</h1>
<p class="lead">${account === null ? html`Access works${view.reconnect ? ' again' : null}.` : html`${view.reconnect ? 'Reconnected' : 'Connected'} as <strong>${account}</strong>.`} ${application} goes on by itself.</p>
${missingScopes.length === 0 ? null : html`<div class="notice"><p>Not everything was allowed: ${missingScopes.join(', ')}. What needs it stays off; everything else works.</p></div>`}
${view.doneUrl === null ? html`<p>You can close this page.</p>` : html`<div class="actions"><a class="button primary" href="${view.doneUrl}" rel="noreferrer">Back to ${application}</a></div>`}
</div>`,
  }
}

/** The page behind a repair link whose connection works again: another tab, or somebody else, was first. */
export function repairedPage({ application, provider, account }: ConnectView): Page {
  const title = `${provider} is connected`
  return {
    title,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${title}</h1>
<p class="lead">This connection was repaired already${account === null ? null : html`, as <strong>${account}</strong>`}. ${application} goes on by itself; there is nothing left to do.</p>
<p>You can close this page.</p>
</div>`,
  }
}

function waitingPage({ provider }: ConnectView): Page {
  return {
    title: 'One moment, please',
    body: html`<div class="card" aria-live="polite">
<h1>One moment, please</h1>
<p class="lead">We are finishing the sign-in with ${provider}. This page looks again by itself.</p>
</div>`,
  }
}

/** The account belongs to another connection of the same owner: offered by one button, never taken silently. */
function siblingPage(view: ConnectView, details: PageDetails): Page {
  const { application, provider, signedInAs, account } = view
  return {
    title: `That was a different ${provider} account`,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>That was a different ${provider} account</h1>
<p class="lead">You signed in as <strong>${signedInAs}</strong>. The connection to repair belongs to <strong>${account ?? 'another account'}</strong>. Nothing was changed.</p>
<p>${application} also has a connection for <strong>${signedInAs}</strong>. You can renew that one with this sign-in, or try again with the other account.</p>
<div class="actions">
${button(details.action, 'sibling', `Renew ${signedInAs ?? 'the other connection'}`, true)}
${button(details.action, 'retry', `Try again as ${account ?? 'the other account'}`, false)}
${cancel(view)}
</div>
${detailList('account_mismatch', null, details)}
</div>`,
  }
}

/** One page for every failure: what happened, what it means for the person's data, the one next step. */
function failurePage(view: ConnectView, code: FaultCode, details: PageDetails): Page {
  const { application, provider } = view
  const words = wordsFor(code, view)
  const again = !view.expired && RETRIED.has(code)
  return {
    title: words.title,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${words.title}</h1>
<p class="lead">${words.text}</p>
${NEXT_STEPS[code] === undefined ? null : html`<p>${fillWords(NEXT_STEPS[code], { provider, account: view.account })}</p>`}
<div class="actions">
${again ? button(details.action, 'retry', code === 'account_mismatch' && view.account !== null ? `Try again as ${view.account}` : 'Try again', true) : null}
${cancel(view)}
${view.signingIn ? waysBack(code) : null}
</div>
${again || view.cancelUrl !== null || view.signingIn ? null : html`<p>You can close this page.</p>`}
${detailList(code, view.fault, details)}
</div>`,
  }
}

/** The page behind a link that was used, or has ended. Whoever holds the link may know whose it was. */
export function endedLinkPage(view: ConnectView, code: 'connect_session_used' | 'connect_session_expired', requestId: string): Page {
  const words = wordsFor(code, view)
  return {
    title: words.title,
    body: html`<div class="card">
<p class="eyebrow">${view.application}</p>
<h1>${words.title}</h1>
<p class="lead">${words.text}</p>
${view.doneUrl === null ? html`<p>You can close this page.</p>` : html`<div class="actions"><a class="button primary" href="${view.doneUrl}" rel="noreferrer">Back to ${view.application}</a></div>`}
${detailList(code, null, { requestId, action: null })}
</div>`,
  }
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

/** The next step, where the fault's own words leave it open. */
const NEXT_STEPS: Partial<Record<FaultCode, string>> = {
  account_mismatch: 'Choose {A} at {P}. If {P} signs you in by itself, sign out there first.',
  admin_approval_required: 'Ask that administrator to approve, then come back and try again.',
  connect_failed: 'If it happens again, send us the request id under Details.',
  internal: 'If it happens again, send us the request id under Details.',
  provider_rate_limited: 'Wait a minute, then try again.',
}

function wordsFor(code: FaultCode, { provider, account, fault, application }: ConnectView): { readonly title: string; readonly text: string } {
  const row = FAULTS[code]
  const words = { provider, account }
  if (code === 'account_mismatch' && fault?.providerText != null) {
    return {
      title: fillWords(row.title, words),
      text: `This connection belongs to ${account ?? 'another account'}; you signed in as ${fault.providerText}. Nothing was changed.`,
    }
  }
  if (code === 'provider_unavailable')
    return { title: fillWords(row.title, words), text: `${provider} has problems right now. Nothing was changed. Please try again in a few minutes.` }
  if (code === 'client_rejected')
    return {
      title: `${provider} is not available right now`,
      text: `${provider} does not accept how ${application} is set up. Nothing was changed, and there is nothing you can do: the people who run ${application} have to correct it.`,
    }
  return { title: fillWords(row.title, words), text: fillWords(row.endUser, words) }
}

function button(action: string | null, step: string, text: string, primary: boolean): Html | null {
  if (action === null) return null
  return html`<form method="post" action="${action}"><input type="hidden" name="step" value="${step}"><button class="button${primary ? ' primary' : ''}" type="submit">${text}</button></form>`
}

function cancel({ cancelUrl, application }: ConnectView): Html | null {
  return cancelUrl === null ? null : html`<a class="button" href="${cancelUrl}" rel="noreferrer">Back to ${application}</a>`
}

/** Where somebody goes on whose sign-in did not work out. */
function waysBack(code: FaultCode): Html {
  if (code === 'reauthentication_required') return html`<a class="button primary" href="/auth/confirm?return_url=%2Fme%2Fsecurity">Confirm that it is you</a>`
  return html`<a class="button" href="/auth/sign-in">Other ways to sign in</a>`
}

function detailList(code: FaultCode, said: ConnectView['fault'], details: PageDetails): Html {
  return html`<details><summary>Details</summary><dl>
<dt>Reason</dt><dd><code>${code}</code></dd>
${said?.providerCode == null ? null : html`<dt>Provider said</dt><dd><code>${said.providerCode}</code></dd>`}
${said?.providerText == null || code === 'account_mismatch' ? null : html`<dt>In its words</dt><dd>${said.providerText}</dd>`}
<dt>Request id</dt><dd><code>${details.requestId}</code></dd>
</dl></details>`
}

/** A page for a browser that has not proven which session is its own: nothing of any session is on it. */
export function problemPage(code: FaultCode, requestId: string, text?: string): Page {
  const unknownLink = code === 'not_found'
  const title = unknownLink ? 'This link does not work' : code === 'forbidden' ? 'That did not come from our page' : fillWords(FAULTS[code].title, {})
  const words = unknownLink
    ? 'It may be incomplete, or too old to be known. Ask whoever sent it for a new one.'
    : fillWords(FAULTS[code].endUser, { provider: 'the provider' })
  return {
    title,
    body: html`<div class="card">
<h1>${title}</h1>
<p class="lead">${text ?? words}</p>
<p>You can close this page.</p>
${detailList(code, null, { requestId, action: null })}
</div>`,
  }
}
