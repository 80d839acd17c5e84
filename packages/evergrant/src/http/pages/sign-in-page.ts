import type { Offer } from '../../core/sign-in/provider-sign-in.ts'
import type { Page } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import { act, endedNotice, field, good, hidden, passkeyForm, refusal } from './form-html.ts'
import type { Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'

interface SignInView {
  readonly application: string
  readonly offers: readonly Offer[]
  readonly returnUrl: string | null
  /** Slug; null: the default one. */
  readonly organization: string | null
  readonly email: string
  readonly done: string | undefined
  /** Why the session before ended, where the page that sends somebody here knows. */
  readonly ended: string | undefined
  /** Who is signed in here already; null: nobody. */
  readonly person: { readonly name: string; readonly lacksFactor: boolean } | null
  /** People may join without an invitation. */
  readonly signUp: boolean
}

export function signInPage(view: SignInView, refused: Refused | null): Page {
  const { application, returnUrl, organization, email } = view
  return {
    title: `Sign in to ${application}`,
    script: true,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>Sign in</h1>
${good(view.done)}${refused === null && view.person === null ? endedNotice(view.ended) : null}${refusal(refused)}${hereAlready(view)}
<form method="post" action="/auth/sign-in">
${hidden('return_url', returnUrl)}${hidden('organization', organization)}
${field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', value: email, focus: email === '' })}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', maxLength: 1_024, focus: email !== '' })}
<p class="small"><a href="${withReturn('/auth/forgot', returnUrl)}">Forgotten your password?</a></p>
<div class="actions"><button class="button primary" type="submit">Sign in</button></div>
</form>
<div class="ways">
${passkeyForm({ action: '/auth/passkey', options: '/auth/passkey', ceremony: 'get', text: 'Sign in with a passkey' }, { return_url: returnUrl, organization })}
${view.offers.map((offer) => wayThrough(offer, returnUrl))}
</div>
${view.signUp ? html`<p class="small after">New here? <a href="/auth/sign-up">Sign up</a></p>` : null}
</div>`,
  }
}

function hereAlready({ person, returnUrl }: SignInView): Html | null {
  if (person === null) return null
  const onward = person.lacksFactor
    ? html`<a href="${withReturn('/me/security', returnUrl)}">Add a second step</a> to go on`
    : html`<a href="${returnUrl ?? '/me'}">Go on</a>`
  return html`<p>You are signed in as <strong>${person.name}</strong>. ${onward}, or sign in as somebody else.</p>`
}

function wayThrough({ integration, provider }: Offer, returnUrl: string | null): Html {
  return html`<a class="button" href="${withReturn(`/auth/sign-in/${integration.id}`, returnUrl)}">Continue with ${provider}</a>`
}

interface SecondStepView {
  readonly methods: readonly string[]
  readonly returnUrl: string | null
}

export function secondStepPage({ methods, returnUrl }: SecondStepView, refused: Refused | null): Page {
  return {
    title: 'One more step',
    script: true,
    body: html`<div class="card">
<h1>One more step</h1>
<p class="lead">Your password was right. Now show that it is you.</p>
${refusal(refused)}
${methods.includes('totp') ? codeForm('/auth/second-step', returnUrl) : null}
${methods.includes('passkey') ? html`<div class="ways">${passkeyForm({ action: '/auth/second-step', options: '/auth/second-step/options', ceremony: 'get', text: 'Use your passkey' }, { return_url: returnUrl })}</div><noscript><p>A passkey needs JavaScript. Turn it on for this page, or use another way.</p></noscript>` : null}
${methods.includes('recovery_code') ? recoveryForm('/auth/second-step', returnUrl) : null}
<details><summary>I have lost all of these</summary>
<p>Ask the people who look after this application. Whoever runs its server can remove your second steps, and you add a new one. Nothing of yours is lost.</p>
</details>
<p class="small after"><a href="${withReturn('/auth/sign-in', returnUrl)}">Start again</a></p>
</div>`,
  }
}

function codeForm(action: string, returnUrl: string | null): Html {
  return html`<form method="post" action="${action}">
${hidden('return_url', returnUrl)}
${field({ name: 'code', label: 'Code of your authenticator app', autocomplete: 'one-time-code', numeric: true, maxLength: 20, hint: 'Six digits. Each code works once.', focus: true })}
<div class="actions"><button class="button primary" type="submit">Continue</button></div>
</form>`
}

function recoveryForm(action: string, returnUrl: string | null): Html {
  return html`<details><summary>Use a recovery code instead</summary>
<form method="post" action="${action}">
${hidden('return_url', returnUrl)}
${field({ name: 'recovery_code', label: 'Recovery code', autocomplete: 'off', maxLength: 60, hint: 'One of those that you wrote down. It works once.' })}
<div class="actions"><button class="button" type="submit">Use this code</button></div>
</form></details>`
}

interface ProviderView {
  readonly offer: Offer
  readonly returnUrl: string | null
  /** Who is signed in here already, and would add this way to themselves. */
  readonly person: string | null
}

/** Names the application and the provider before the browser goes anywhere; its button starts the flow. */
export function providerPage({ offer, returnUrl, person }: ProviderView): Page {
  const { application, provider, integration } = offer
  const title = person === null ? `Sign in with ${provider}` : `Add ${provider} to your account`
  return {
    title,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${title}</h1>
${
  person === null
    ? html`<p class="lead">You sign in at ${provider} itself; ${application} never sees your password. What ${provider} lets ${application} do, it shows you there.</p>`
    : html`<p class="lead">You are signed in here as <strong>${person}</strong>. From then on your ${provider} account signs you in, too.</p>`
}
<div class="actions">${act(`/auth/sign-in/${integration.id}`, `Continue to ${provider}`, 'primary', { return_url: returnUrl })}
${person === null ? html`<a class="button" href="${withReturn('/auth/sign-in', returnUrl)}">Other ways</a>` : html`<a class="button" href="/me/security">Cancel</a>`}</div>
${person === null ? null : html`<p class="small soft after">Not you? <a href="/me">Your page</a> has a button to sign out.</p>`}
</div>`,
  }
}

export interface ConfirmView {
  readonly name: string
  readonly password: boolean
  readonly methods: readonly string[]
  readonly offers: readonly Offer[]
  readonly returnUrl: string | null
}

export function confirmPage(view: ConfirmView, refused: Refused | null): Page {
  const { password, methods, offers, returnUrl } = view
  return {
    title: 'Please confirm that it is you',
    script: true,
    body: html`<div class="card">
<h1>Please confirm that it is you</h1>
<p class="lead">You are signed in as <strong>${view.name}</strong>. What you asked for needs a proof that is at most ten minutes old.</p>
${refusal(refused)}
${
  password
    ? html`<form method="post" action="/auth/confirm">
${hidden('return_url', returnUrl)}
${field({ name: 'password', label: 'Password', type: 'password', autocomplete: 'current-password', maxLength: 1_024, focus: true })}
<div class="actions"><button class="button primary" type="submit">Confirm</button><a class="button" href="/me">Cancel</a></div>
</form>`
    : null
}
${methods.includes('totp') && !password ? codeForm('/auth/confirm', returnUrl) : null}
<div class="ways">
${methods.includes('passkey') ? passkeyForm({ action: '/auth/confirm', options: '/auth/confirm/options', ceremony: 'get', text: 'Use your passkey' }, { return_url: returnUrl }) : null}
${password ? null : offers.map(({ integration, provider }) => act(`/auth/sign-in/${integration.id}`, `Sign in again with ${provider}`, 'plain', { return_url: returnUrl }))}
</div>
${methods.includes('recovery_code') && !password ? recoveryForm('/auth/confirm', returnUrl) : null}
${password ? null : html`<p class="small after"><a href="/me">Cancel</a></p>`}
</div>`,
  }
}

export function signedOutPage(application: string): Page {
  return {
    title: 'You are signed out',
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>You are signed out</h1>
<p class="lead">This browser is not signed in any more. Your connections go on working.</p>
<div class="actions"><a class="button primary" href="/auth/sign-in">Sign in again</a></div>
</div>`,
  }
}
