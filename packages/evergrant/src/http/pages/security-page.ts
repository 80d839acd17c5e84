import type { Factor } from '../../core/identity/factor.ts'
import type { FactorId } from '../../core/ids.ts'
import type { Offer } from '../../core/sign-in/provider-sign-in.ts'
import { type Html, html } from '../html.ts'
import { day } from './connections-page.ts'
import { act, field, hidden, passkeyForm, refusal } from './form-html.ts'
import type { Refused } from './page-desk.ts'
import { withReturn } from './return-address.ts'

interface SecurityView {
  readonly factors: readonly Factor[]
  readonly codesLeft: number
  readonly offers: readonly Offer[]
  readonly hasPassword: boolean
  readonly email: string | null
  /** Nobody has proved yet to have this mailbox; then no second step can be added. */
  readonly unconfirmed: boolean
  /** Their organization asks for a second step that this session did not take: nothing else is to be done before that. */
  readonly limited: boolean
  /** Where they were going; null: nowhere else. */
  readonly returnUrl: string | null
}

const KINDS = { totp: 'Authenticator app', passkey: 'Passkey' } as const

export function securityContent(view: SecurityView, refused: Refused | null): Html {
  const { factors, codesLeft, offers, hasPassword, email, limited, returnUrl } = view
  const rest = html`${factors.length === 0 ? null : html`<h2>Recovery codes</h2><p>${codesLeft === 0 ? 'You have none left.' : `You have ${codesLeft} left.`} They let you in when you lose your second step.</p><div class="actions">${act('/me/security/codes', 'Get new recovery codes')}</div>`}
${hasPassword || email !== null ? passwordForm(hasPassword, email, refused) : null}
${offers.length === 0 ? null : html`<h2>Other ways to sign in</h2><p>Add an account elsewhere that signs you in, too.</p><div class="actions">${offers.map(({ integration, provider }) => html`<a class="button" href="/auth/sign-in/${integration.id}?return_url=%2Fme%2Fsecurity">${provider}</a>`)}</div>`}
${otherDevices()}`
  const confirm = withReturn('/auth/confirm', withReturn('/me/security', returnUrl))
  return html`<h1>Signing in</h1>
<p class="lead">${email === null ? 'You sign in through a provider.' : html`You sign in as <strong>${email}</strong>.`}</p>
${refusal(refused, ['password'])}${limited ? limitedNotice(view) : null}${unconfirmedNotice(view)}
<p class="small soft">Changes here ask you to prove who you are, unless you did in the last ten minutes. <a href="${confirm}">Confirm that it is you</a></p>
${secondStep(view)}
${limited ? null : rest}`
}

/** Offered wherever a way to sign in was changed: whoever knew the old one may still be signed in. */
function otherDevices(): Html {
  return html`<h2>Other devices</h2><p>What you change here does not sign anybody out, except a new password. <a href="/me/devices">See where you are signed in</a>, or sign out everywhere but here.</p>
<div class="actions">${act('/me/devices/end-others', 'Sign out all other devices', 'danger')}</div>`
}

function limitedNotice({ factors, returnUrl }: SecurityView): Html {
  if (factors.length === 0)
    return html`<div class="notice" role="status"><p>Your organization asks you for a second step. Add one here; then you can go on.</p></div>`
  const confirm = withReturn('/auth/confirm', returnUrl ?? '/me')
  return html`<div class="notice" role="status"><p>Your organization asks you for a second step, and this device has not shown one yet. <a href="${confirm}">Show your second step</a>; then you can go on.</p></div>`
}

function unconfirmedNotice({ unconfirmed }: SecurityView): Html | null {
  if (!unconfirmed) return null
  return html`<div class="notice"><p>Your address is not confirmed yet. Confirm it before you add a second step.</p>${act('/me/security/verify', 'Send the letter')}</div>`
}

function secondStep({ factors, limited, returnUrl }: SecurityView): Html {
  const has = factors.length > 0
  const add = html`<div class="actions">${act('/me/security/totp', 'Add an authenticator app', limited && !has ? 'primary' : 'plain', { return_url: returnUrl })}${passkeyForm({ action: '/me/security/passkey', options: '/me/security/passkey', ceremony: 'create', text: 'Add a passkey' }, { return_url: returnUrl })}</div>`
  if (!has)
    return html`<h2>Second step</h2><p>You sign in with one step. A second one keeps your account yours, also when somebody learns your password.</p>${add}`
  return html`<h2>Second step</h2><ul class="items">${factors.map((factor) => factorItem(factor, limited))}</ul>${limited ? null : add}`
}

function factorItem({ id, kind, name, createdAt, lastUsedAt }: Factor, limited: boolean): Html {
  return html`<li><div class="item-head"><h3>${name}</h3><span class="badge plain">${KINDS[kind]}</span></div>
<p class="small soft">Added on ${day(createdAt)}${lastUsedAt === null ? ', never used' : html`, used on ${day(lastUsedAt)}`}</p>
${limited ? null : html`<div class="actions"><a class="button danger" href="/me/security/factors/${id}/remove">Remove<span class="unseen"> ${name}</span></a></div>`}</li>`
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

interface TotpView {
  readonly id: FactorId
  readonly secret: string
  readonly uri: string
  readonly returnUrl: string | null
}

export function totpShown({ id, secret, uri, returnUrl }: TotpView, refused: Refused | null): Html {
  return html`<h1>Add an authenticator app</h1>
${refusal(refused, ['code'])}
<ol class="steps">
<li>Open your authenticator app and add an account by key. On the same device, <a href="${uri}">this link</a> may open it.</li>
<li>Enter this key: <p class="key"><code>${secret.match(/.{1,4}/g)?.join(' ') ?? ''}</code></p></li>
<li>Enter the code that the app shows now.</li>
</ol>
<form method="post" action="/me/security/totp/${id}">
${hidden('secret', secret)}${hidden('uri', uri)}${hidden('return_url', returnUrl)}
${field({ name: 'code', label: 'Code', autocomplete: 'one-time-code', numeric: true, maxLength: 20, focus: true }, refused)}
<div class="actions"><button class="button primary" type="submit">Turn it on</button><a class="button" href="/me/security">Cancel</a></div>
</form>`
}

export function codesShown(codes: readonly string[], returnUrl: string | null): Html {
  return html`<h1>Your recovery codes</h1>
<div class="notice"><p>Write them down or print them now. They are not shown again.</p></div>
<p>Each of them signs you in once, when you cannot use your second step. Keep them where you keep what you must not lose.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<div class="actions"><a class="button primary" href="${returnUrl ?? '/me/security'}">I have written them down</a></div>
${otherDevices()}`
}

export function removeQuestion({ name, kind }: Factor, action: string): Html {
  return html`<h1>Remove "${name}"?</h1>
<p class="lead">This ${KINDS[kind].toLowerCase()} will not be asked for any more. If it is your only one, your recovery codes end with it.</p>
<div class="actions">${act(action, 'Remove it', 'danger')}<a class="button" href="/me/security">Keep it</a></div>`
}
