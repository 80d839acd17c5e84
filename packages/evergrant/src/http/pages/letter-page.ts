import type { Page } from '../connect/page-frame.ts'
import { type Html, html } from '../html.ts'
import { field, good, hidden, refusal } from './form-html.ts'
import type { Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'

/** What a link of a letter leads to. `unread`: its token stands behind the `#`, and has not come here yet. */
export type LetterView =
  | { readonly kind: 'unread' }
  | { readonly kind: 'sign_up' }
  | { readonly kind: 'verify' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'setup' }
  | { readonly kind: 'invitation'; readonly email: string; readonly organization: string; readonly role: string; readonly known: boolean }
  | { readonly kind: 'spent' }

interface LetterPage {
  /** Where its forms lead. */
  readonly path: string
  readonly application: string
  readonly view: LetterView
  readonly form: Readonly<Record<string, string>>
}

const NEW_PASSWORD_HINT = 'At least 8 characters, and none that everybody tries first. A few words together are good.'

export function letterPage({ path, application, view, form }: LetterPage, refused: Refused | null): Page {
  const title = titleOf(view, application)
  return {
    title,
    script: true,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${title}</h1>
${refusal(refused, ['password', 'email', 'name'])}
${content(view, path, form, refused)}
${view.kind === 'unread' ? null : carrier(path)}
</div>`,
  }
}

function titleOf(view: LetterView, application: string): string {
  switch (view.kind) {
    case 'unread':
      return 'One moment, please'
    case 'sign_up':
      return `Welcome to ${application}`
    case 'verify':
      return 'Confirm your e-mail address'
    case 'reset':
      return 'Choose a new password'
    case 'setup':
      return 'Make the first owner'
    case 'invitation':
      return `Join ${view.organization}`
    case 'spent':
      return 'This link is used up'
  }
}

function content(view: LetterView, path: string, form: LetterPage['form'], refused: Refused | null): Html {
  const own = (parts: readonly (Html | null)[], button: string): Html => html`<form method="post" action="${path}">
<input type="hidden" name="step" value="finish">
${parts}
<div class="actions"><button class="button primary" type="submit">${button}</button></div>
</form>`
  const password = field(
    { name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password', hint: NEW_PASSWORD_HINT, maxLength: 1_024 },
    refused,
  )
  const name = field({ name: 'name', label: 'Your name', autocomplete: 'name', optional: true, value: form['name'] ?? '', maxLength: 100 }, refused)
  const email = field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', value: form['email'] ?? '' }, refused)
  switch (view.kind) {
    case 'unread':
      return html`<p class="lead">Your link is being read.</p>${unread(path)}`
    case 'sign_up':
      return html`<p class="lead">Choose a password. Your account is ready after that.</p>${own([password, name], 'Make my account')}`
    case 'verify':
      return html`<p class="lead">The link came to your mailbox. Press the button to confirm that it is yours.</p>${own([], 'Confirm this address')}`
    case 'reset':
      return html`<p class="lead">All devices will be signed out, and you sign in with the new password.</p>${own([password], 'Change my password')}`
    case 'setup':
      return html`<p class="lead">Nobody is here yet. Whoever you make now owns this server, and can invite the others.</p>${own([email, password, name], 'Make the first owner')}`
    case 'invitation':
      return view.known
        ? html`<p class="lead">You were invited as <strong>${view.role}</strong>, with <strong>${view.email}</strong>. You have an account already: join with it, and sign in as you always do.</p>${own([], `Join ${view.organization}`)}`
        : html`<p class="lead">You were invited as <strong>${view.role}</strong>, with <strong>${view.email}</strong>.</p>${own([password, name], 'Accept and sign in')}`
    case 'spent':
      return html`<p class="lead">It was used already, is too old, or was not copied whole. Nothing was changed.</p>
<p>${path === '/auth/reset' ? html`<a href="/auth/forgot">Ask for a new letter</a>, or <a href="/auth/sign-in">sign in</a>.` : html`Ask whoever sent it for a new one, or <a href="/auth/sign-in">sign in</a>.`}</p>`
  }
}

/** Without the script, the person carries the token over by hand. */
function unread(path: string): Html {
  return html`<form method="post" action="${path}" data-fragment>
${field({ name: 'token', label: 'Code of your link', autocomplete: 'off', hint: 'If nothing happens: copy what stands behind the # in the link, and press Continue.', maxLength: 200 })}
<div class="actions"><button class="button primary" type="submit">Continue</button></div>
</form>`
}

/** A newer link may be opened in a browser that still has an older one. */
function carrier(path: string): Html {
  return html`<form method="post" action="${path}" data-fragment hidden><input type="hidden" name="token"></form>`
}

export interface ForgotView {
  readonly done: string | undefined
  readonly email: string
  /** Where somebody was going who could not sign in. */
  readonly returnUrl: string | null
}

export function forgotPage(application: string, view: ForgotView, refused: Refused | null): Page {
  return {
    title: 'Forgotten your password?',
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>Forgotten your password?</h1>
${good(view.done)}${refusal(refused)}
<p class="lead">We send a letter with a link to choose a new one.</p>
<form method="post" action="/auth/forgot">
${hidden('return_url', view.returnUrl)}
${field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'username', value: view.email, focus: true })}
<div class="actions"><button class="button primary" type="submit">Send the letter</button><a class="button" href="${withReturn('/auth/sign-in', view.returnUrl)}">Back</a></div>
</form>
</div>`,
  }
}

export interface SignUpView {
  readonly done: string | undefined
  readonly email: string
  readonly name: string
}

/** The same whether the address has an account or not: the letter says which. */
export function signUpPage(application: string, view: SignUpView, refused: Refused | null): Page {
  return {
    title: `Sign up at ${application}`,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>Sign up</h1>
${good(view.done)}${refusal(refused, ['email'])}
${view.done === undefined ? signUpForm(view, refused) : SIGN_UP_SENT}
</div>`,
  }
}

const SIGN_UP_SENT = html`<p>Nothing came after some minutes? Look where your mail keeps what it does not trust, or <a href="/auth/sign-up">ask again</a>.</p>
<div class="actions"><a class="button" href="/auth/sign-in">Back</a></div>`

function signUpForm({ email, name }: SignUpView, refused: Refused | null): Html {
  return html`<p class="lead">We send a letter with a link. You choose a password there, and your account is ready.</p>
<form method="post" action="/auth/sign-up">
${field({ name: 'email', label: 'E-mail address', type: 'email', autocomplete: 'email', value: email, focus: true }, refused)}
${field({ name: 'name', label: 'Your name', autocomplete: 'name', optional: true, value: name, maxLength: 100 }, refused)}
<div class="actions"><button class="button primary" type="submit">Send the letter</button><a class="button" href="/auth/sign-in">Back</a></div>
</form>`
}
