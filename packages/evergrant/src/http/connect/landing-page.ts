import type { AskedVariable, ConnectView } from '../../core/connect/connect-view.ts'
import type { FaultCode } from '../../core/fault/fault.ts'
import { FAULTS } from '../../core/fault/table.ts'
import { fillWords } from '../../core/fault/words.ts'
import { type Html, html } from '../html.ts'
import type { Page } from './page-frame.ts'
import { scopeWords } from './scope-words.ts'

export interface FormProblem {
  readonly variable: string | null
  readonly text: string
  readonly form: Readonly<Record<string, string>>
}

/**
 * The page behind a link: who asks, for whom, for what and, where that is known, what ended the grant. Its button starts
 * the flow; looking at it changes nothing.
 */
export function landingPage(view: ConnectView, action: string, problem: FormProblem | null, stopped: FaultCode | null = null): Page {
  const { application, provider } = view
  const title = view.reconnect ? `Reconnect ${provider}` : `Connect ${provider} to ${application}`
  return {
    title,
    body: html`<div class="card">
<p class="eyebrow">${application}</p>
<h1>${title}</h1>
${stopped === null ? lead(view) : stoppedLead(view, stopped)}
${problem !== null && problem.variable === null ? html`<div class="notice bad" role="alert"><p>${problem.text}</p></div>` : null}
<dl class="facts">
<div><dt>Application</dt><dd>${application}</dd></div>
<div><dt>For</dt><dd>${view.owner}</dd></div>
${view.account === null ? null : html`<div><dt>${provider} account</dt><dd>${view.account}</dd></div>`}
</dl>
${endsAnother(view)}${permissions(view)}
<form method="post" action="${action}">
${view.asked.map((variable) => field(variable, problem))}
<div class="actions">
<button class="button primary" type="submit">Continue to ${provider}</button>
${view.cancelUrl === null ? null : html`<a class="button" href="${view.cancelUrl}" rel="noreferrer">Cancel</a>`}
</div>
</form>
</div>
<div class="card small soft">
<p>You sign in at ${provider} itself; ${application} never sees your password. You can remove this access at any time.</p>
<p>Continue only if you asked for this, or trust whoever sent you this link.${view.cancelUrl === null ? html` To stop, close this page.` : null}</p>
</div>`,
  }
}

function lead({ application, provider, reconnect, account }: ConnectView): Html {
  if (!reconnect) return html`<p class="lead">${application} asks for access to your ${provider} account.</p>`
  const who = account === null ? html`the ${provider} account you used before` : html`<strong>${account}</strong>`
  return html`<p class="lead">${application} lost its access, or it is about to end. Sign in with ${who} to repair it. Nothing was deleted.</p>`
}

function stoppedLead({ provider, account }: ConnectView, stopped: FaultCode): Html {
  const who = account === null ? html`the account you used before` : html`<strong>${account}</strong>`
  return html`<p class="lead">${fillWords(FAULTS[stopped].endUser, { provider, account })}</p>
<p>Sign in with ${who}. That repairs the connection you have; no second one is made.</p>`
}

/** Said before it happens: nobody can take it back. */
function endsAnother({ endsAnother: ends, provider, application }: ConnectView): Html | null {
  if (ends === null) return null
  const what =
    ends === 'certainly'
      ? html`${application} also uses this account in another connection. That one ends when you continue.`
      : html`If the account you choose is connected to ${application} already, that other connection ends.`
  return html`<div class="notice"><p>${provider} keeps one connection per account. ${what}</p></div>`
}

function permissions(view: ConnectView): Html | null {
  if (view.scopes.length === 0) return null
  const items = view.scopes.map((scope) => scopeWords(view.providerId, scope, view.scopeMeanings))
  return html`<h2>What ${view.application} may do</h2>
<ul class="plain">${items.map(({ words, scope }) => html`<li>${scope === null ? html`<code>${words}</code>` : words}</li>`)}</ul>`
}

function field(variable: AskedVariable, problem: FormProblem | null): Html {
  const id = `variable-${variable.name}`
  const value = problem?.form[variable.name] ?? variable.value
  const wrong = problem?.variable === variable.name
  if (variable.choices !== null) return choice(variable, variable.choices, value, wrong ? problem.text : null)
  return html`<label for="${id}">${variable.label}</label>
<input type="text" id="${id}" name="${variable.name}" value="${value}" maxlength="255" required autocomplete="off" autocapitalize="none" spellcheck="false" aria-describedby="${id}-hint"${wrong ? html` aria-invalid="true" autofocus` : null}>
<p class="hint" id="${id}-hint">For example: ${variable.example}</p>
${wrong ? html`<p class="error" role="alert">${problem.text}</p>` : null}`
}

/** The only values there are: nothing to type, and so nothing to get wrong. */
function choice(variable: AskedVariable, choices: NonNullable<AskedVariable['choices']>, value: string | null, wrong: string | null): Html {
  const id = `variable-${variable.name}`
  const options = Object.entries(choices).map(([name, { label }]) => html`<option value="${name}"${name === value ? html` selected` : null}>${label}</option>`)
  return html`<label for="${id}">${variable.label}</label>
<select id="${id}" name="${variable.name}" required${wrong === null ? null : html` aria-invalid="true" aria-describedby="${id}-error" autofocus`}>
${options}
</select>
${wrong === null ? null : html`<p class="error" role="alert" id="${id}-error">${wrong}</p>`}`
}
