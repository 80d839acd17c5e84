import { escapeHtml, page } from './page-frame.ts'

export const ACCOUNTS: readonly string[] = ['ada', 'grace', 'linus']

interface ConsentView {
  readonly profile: string
  readonly client: string
  readonly scopes: readonly string[]
  /** The parameters of the authorization request: the form carries them, and they are checked again. */
  readonly parameters: URLSearchParams
  readonly action: string
}

/** Asks the person which account and which scopes, and for Allow or Deny. */
export function consentPage(view: ConsentView): string {
  const hidden = [...view.parameters].map(([name, value]) => `<input type="hidden" name="request.${escapeHtml(name)}" value="${escapeHtml(value)}">`).join('')
  const accounts = ACCOUNTS.map(
    (account, index) => `<label class="choice"><input type="radio" name="account" value="${account}"${index === 0 ? ' checked' : ''}> ${account}</label>`,
  ).join('')
  const scopes = view.scopes
    .map((scope) => `<label class="choice"><input type="checkbox" name="scope" value="${escapeHtml(scope)}" checked> <code>${escapeHtml(scope)}</code></label>`)
    .join('')
  return page(
    `Allow ${view.client}?`,
    'narrow',
    `<form class="card" method="post" action="${escapeHtml(view.action)}">${hidden}
<h1>Allow <strong>${escapeHtml(view.client)}</strong> to use your account?</h1>
<p class="soft">Profile <code>${escapeHtml(view.profile)}</code>. Nothing here is real: pick any account, untick what you do not want to grant.</p>
<fieldset><legend>Which account</legend>${accounts}
<label class="soft" for="other">or another one</label><input type="text" id="other" name="other_account" maxlength="60" autocomplete="off" pattern="[A-Za-z0-9._\\-]*" placeholder="name"></fieldset>
<fieldset><legend>What it may do</legend>${scopes || '<p class="soft">It asks for no scope.</p>'}</fieldset>
<div class="row big"><button class="main" name="decision" value="allow">Allow</button><button name="decision" value="deny">Deny</button></div>
</form>`,
  )
}

/** Shown when it is not safe to go back to the application (RFC 6749 section 4.1.2.1). */
export function refusalPage(reason: string, remedy: string): string {
  return page(
    'This request cannot go on',
    'narrow',
    `<div class="card"><h1>This request cannot go on</h1><p>${escapeHtml(reason)}</p><p class="soft">${escapeHtml(remedy)}</p></div>`,
  )
}

/** The answer of `response_mode=form_post`: a form that the person sends on. */
export function formPostPage(target: string, parameters: URLSearchParams): string {
  const hidden = [...parameters].map(([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`).join('')
  return page(
    'Back to the application',
    'narrow',
    `<form class="card" method="post" action="${escapeHtml(target)}">${hidden}<h1>Done here</h1><p>Go back to the application to finish.</p><button class="main">Continue</button></form>`,
  )
}
