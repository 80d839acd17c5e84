import type { Factor } from '../../core/identity/factor.ts'
import type { FactorId } from '../../core/ids.ts'
import type { Offer } from '../../core/sign-in/provider-sign-in.ts'
import { type Html, html } from '../html.ts'
import { day } from './connections-page.ts'
import { act, field, hidden, passkeyForm, refusal } from './form-html.ts'
import type { Refused } from './page-desk.ts'

export interface SecurityView {
  readonly factors: readonly Factor[]
  readonly codesLeft: number
  readonly offers: readonly Offer[]
  readonly hasPassword: boolean
  readonly email: string | null
  /** Nobody has proved yet to have this mailbox; then no second step can be added. */
  readonly unconfirmed: boolean
}

const KINDS = { totp: 'Authenticator app', passkey: 'Passkey' } as const

export function securityContent({ factors, codesLeft, offers, hasPassword, email, unconfirmed }: SecurityView, refused: Refused | null): Html {
  return html`<h1>Signing in</h1>
<p class="lead">${email === null ? 'You sign in through a provider.' : html`You sign in as <strong>${email}</strong>.`}</p>
${refusal(refused, ['password'])}${unconfirmed ? html`<div class="notice"><p>Your address is not confirmed yet. Confirm it before you add a second step.</p>${act('/me/security/verify', 'Send the letter')}</div>` : null}
<p class="small soft">Changes here ask you to prove who you are, unless you did in the last ten minutes. <a href="/auth/confirm?return_url=%2Fme%2Fsecurity">Confirm that it is you</a></p>
<h2>Second step</h2>
${factors.length === 0 ? html`<p>You sign in with one step. A second one keeps your account yours, also when somebody learns your password.</p>` : html`<ul class="items">${factors.map(factorItem)}</ul>`}
<div class="actions">${act('/me/security/totp', 'Add an authenticator app')}${passkeyForm({ action: '/me/security/passkey', options: '/me/security/passkey', ceremony: 'create', text: 'Add a passkey' })}</div>
${factors.length === 0 ? null : html`<h2>Recovery codes</h2><p>${codesLeft === 0 ? 'You have none left.' : `You have ${codesLeft} left.`} They let you in when you lose your second step.</p><div class="actions">${act('/me/security/codes', 'Get new recovery codes')}</div>`}
${hasPassword || email !== null ? passwordForm(hasPassword, email, refused) : null}
${offers.length === 0 ? null : html`<h2>Other ways to sign in</h2><p>Add an account elsewhere that signs you in, too.</p><div class="actions">${offers.map(({ integration, provider }) => html`<a class="button" href="/auth/sign-in/${integration.id}?return_url=%2Fme%2Fsecurity">${provider}</a>`)}</div>`}`
}

function factorItem({ id, kind, name, createdAt, lastUsedAt }: Factor): Html {
  return html`<li><div class="item-head"><h3>${name}</h3><span class="badge plain">${KINDS[kind]}</span></div>
<p class="small soft">Added on ${day(createdAt)}${lastUsedAt === null ? ', never used' : html`, used on ${day(lastUsedAt)}`}</p>
<div class="actions"><a class="button danger" href="/me/security/factors/${id}/remove">Remove<span class="unseen"> ${name}</span></a></div></li>`
}

function passwordForm(hasPassword: boolean, email: string | null, refused: Refused | null): Html {
  return html`<h2>${hasPassword ? 'Change your password' : 'Choose a password'}</h2>
<form method="post" action="/me/security/password">
<input type="hidden" name="username" autocomplete="username" value="${email ?? ''}">
${hasPassword ? field({ name: 'current', label: 'Present password', type: 'password', autocomplete: 'current-password', maxLength: 1_024 }) : null}
${field({ name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password', maxLength: 1_024, hint: 'At least 8 characters. All other devices will be signed out.' }, refused)}
<div class="actions"><button class="button" type="submit">${hasPassword ? 'Change my password' : 'Set this password'}</button></div>
</form>`
}

export function totpShown({ id, secret, uri }: { readonly id: FactorId; readonly secret: string; readonly uri: string }, refused: Refused | null): Html {
  return html`<h1>Add an authenticator app</h1>
${refusal(refused, ['code'])}
<ol class="steps">
<li>Open your authenticator app and add an account by key. On the same device, <a href="${uri}">this link</a> may open it.</li>
<li>Enter this key: <p class="key"><code>${secret.match(/.{1,4}/g)?.join(' ') ?? ''}</code></p></li>
<li>Enter the code that the app shows now.</li>
</ol>
<form method="post" action="/me/security/totp/${id}">
${hidden('secret', secret)}${hidden('uri', uri)}
${field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', numeric: true, maxLength: 20, focus: true }, refused)}
<div class="actions"><button class="button primary" type="submit">Turn it on</button><a class="button" href="/me/security">Cancel</a></div>
</form>`
}

export function codesShown(codes: readonly string[]): Html {
  return html`<h1>Your recovery codes</h1>
<div class="notice"><p>Write them down or print them now. They are not shown again.</p></div>
<p>Each of them signs you in once, when you cannot use your second step. Keep them where you keep what you must not lose.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<div class="actions"><a class="button primary" href="/me/security">I have written them down</a></div>`
}

export function removeQuestion({ name, kind }: Factor, action: string): Html {
  return html`<h1>Remove "${name}"?</h1>
<p class="lead">This ${KINDS[kind].toLowerCase()} will not be asked for any more. If it is your only one, your recovery codes end with it.</p>
<div class="actions">${act(action, 'Remove it', 'danger')}<a class="button" href="/me/security">Keep it</a></div>`
}
