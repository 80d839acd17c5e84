import { type Html, html } from '../html.ts'
import type { Refused } from './page-desk.ts'

/** As the mailer takes them. */
export const ADDRESS = /^[^\s\p{Cc}@<>()[\],;:"\\]{1,64}@[^\s\p{Cc}@<>()[\],;:"\\]{1,185}$/u

interface Field {
  readonly name: string
  readonly label: string
  readonly type?: 'text' | 'email' | 'password'
  readonly autocomplete: string
  readonly value?: string | null
  readonly hint?: string
  readonly optional?: boolean
  readonly numeric?: boolean
  readonly maxLength?: number
  readonly focus?: boolean
}

/** A labelled input. Its hint and what is wrong with it are told to screen readers with it. */
export function field(of: Field, refused: Refused | null = null): Html {
  const { name, label, type = 'text', autocomplete, value, hint, optional, numeric, maxLength = 254, focus } = of
  const wrong = refused !== null && refused.field === `/${name}`
  const described = [...(hint === undefined ? [] : [`${name}-hint`]), ...(wrong ? [`${name}-error`] : [])].join(' ')
  return html`<label for="${name}">${label}${optional === true ? html` <span class="soft">(optional)</span>` : null}</label>
<input type="${type}" id="${name}" name="${name}" autocomplete="${autocomplete}" maxlength="${maxLength}" value="${value ?? ''}"${optional === true ? null : html` required`}${numeric === true ? html` inputmode="numeric"` : null}${type === 'text' && numeric !== true ? null : html` autocapitalize="none" spellcheck="false"`}${described === '' ? null : html` aria-describedby="${described}"`}${wrong ? html` aria-invalid="true"` : null}${focus === true || wrong ? html` autofocus` : null}>
${hint === undefined ? null : html`<p class="hint" id="${name}-hint">${hint}</p>`}
${wrong ? html`<p class="error" id="${name}-error" role="alert">${refused.text}</p>` : null}`
}

/** What is wrong with the form as a whole. */
export function refusal(refused: Refused | null, fields: readonly string[] = []): Html | null {
  if (refused === null || (refused.field !== null && fields.includes(refused.field.slice(1)))) return null
  return html`<div class="notice bad" role="alert"><p><strong>${refused.title}.</strong> ${refused.text}</p></div>`
}

export function hidden(name: string, value: string | null): Html | null {
  return value === null ? null : html`<input type="hidden" name="${name}" value="${value}">`
}

/** One button that sends something small. */
export function act(
  action: string,
  text: string | Html,
  kind: 'primary' | 'plain' | 'danger' = 'plain',
  fields: Readonly<Record<string, string | null>> = {},
): Html {
  const look = kind === 'plain' ? 'button' : `button ${kind}`
  return html`<form method="post" action="${action}">${Object.entries(fields).map(([name, value]) => hidden(name, value))}<button class="${look}" type="submit">${text}</button></form>`
}

/** Shown by the script where the browser has passkeys. `ceremony`: use one, or make one. */
export function passkeyForm(
  of: { readonly action: string; readonly options: string; readonly ceremony: 'get' | 'create'; readonly text: string },
  fields: Readonly<Record<string, string | null>> = {},
): Html {
  return html`<form method="post" action="${of.action}" data-passkey="${of.ceremony}" data-options="${of.options}" hidden>
${Object.entries(fields).map(([name, value]) => hidden(name, value))}<input type="hidden" name="ticket"><input type="hidden" name="passkey">
<button class="button" type="submit">${of.text}</button>
<p class="error" role="alert"></p>
</form>`
}

/** Why somebody is here again who was signed in, and only in words of ours: the address names a line of this table. */
export function endedNotice(code: string | undefined): Html | null {
  const text = code === undefined || !Object.hasOwn(ENDED, code) ? undefined : ENDED[code]
  if (text === undefined) return null
  const review = code === 'session_reuse_detected' ? html` Then <a href="/auth/sign-in?return_url=%2Fme%2Fdevices">review where you are signed in</a>.` : null
  return html`<div class="notice" role="status"><p>${text}${review}</p></div>`
}

const ENDED: Readonly<Record<string, string>> = {
  session_expired: 'You were signed out because you had not been here for a while. Please sign in again.',
  session_signed_out: 'You signed out in another tab.',
  session_revoked: 'Your session was ended, by you on another device or by somebody who looks after this server. Please sign in again.',
  session_reuse_detected: 'We ended your session for safety: it was used from two places. Please sign in again.',
}

/** Good news at the top of a page, and only in words of ours: the address names a line of this table. */
export function good(done: string | undefined): Html | null {
  const text = done === undefined || !Object.hasOwn(DONE, done) ? undefined : DONE[done]
  return text === undefined ? null : html`<div class="notice good" role="status"><p>${text}</p></div>`
}

const DONE: Readonly<Record<string, string>> = {
  password_changed: 'Your password was changed, and all devices were signed out. Sign in with the new one.',
  verified: 'Thank you. Your e-mail address is confirmed.',
  joined: 'You have joined. Sign in as you always do.',
  welcome: 'Your account is ready, and you are signed in.',
  signing_up: 'A letter is on its way to that address. Open its link to choose a password; the link works for 24 hours.',
  sent: 'If there is an account with this address, a letter is on its way. Its link works for one hour.',
  letter: 'The letter is on its way. Open its link to confirm your address.',
  disconnected: 'Disconnected. The application has no access through it any more.',
  program_rotated: 'Rotated. The program fetches a new token by itself.',
  programs_rotated: 'Rotated. Your programs fetch new tokens by themselves.',
  program_cut_off: 'Cut off. The program on that machine has no access any more.',
  programs_cut_off: 'Cut off. None of your programs has access any more.',
  device_ended: 'That device is signed out.',
  devices_ended: 'All other devices are signed out.',
  factor_added: 'The second step was added. You will be asked for it when you sign in.',
  factor_removed: 'The second step was removed.',
  password_set: 'Your password was changed, and all other devices were signed out.',
  confirmed: 'Thank you. You can go on now.',
  signed_out: 'You are signed out.',
}
