import { type Answer, html, redirect } from './answer.ts'
import type { AuthorizationRequest } from './authorization-codes.ts'
import { ACCOUNTS, consentPage, formPostPage, refusalPage } from './consent-page.ts'
import type { Realm } from './realm.ts'

const ACCOUNT_NAME = /^[A-Za-z0-9._-]{1,60}$/
const CARRIED = 'request.'

type Checked = { readonly ok: true; readonly request: AuthorizationRequest } | { readonly ok: false; readonly answer: Answer }

/** GET: the consent page, or the reason why there is none. Has no effect. */
export function showConsent(realm: Realm, parameters: URLSearchParams): Answer {
  const checked = check(realm, parameters)
  if (!checked.ok) return checked.answer
  const { client, scopes } = checked.request
  return html(200, consentPage({ profile: realm.name, client, scopes, parameters, action: `/${realm.name}/decision` }))
}

/** POST: what the person decided, back to the application. The carried request is checked again. */
export function decide(realm: Realm, body: string): Answer {
  const form = new URLSearchParams(body)
  const parameters = new URLSearchParams()
  for (const [name, value] of form) if (name.startsWith(CARRIED)) parameters.append(name.slice(CARRIED.length), value)
  const checked = check(realm, parameters)
  if (!checked.ok) return checked.answer
  const { request } = checked
  if (form.get('decision') !== 'allow') return back(realm, request, { error: 'access_denied', error_description: 'The person said no' })
  const account = form.get('other_account')?.trim() || form.get('account') || ACCOUNTS[0] || ''
  if (!ACCOUNT_NAME.test(account)) return html(400, refusalPage('That is not an account name.', 'Use letters, digits, dot, dash and underscore.'))
  const ticked = form.getAll('scope')
  const scopes = request.scopes.filter((scope) => ticked.includes(scope))
  const code = realm.codes.issue(request, account, scopes, realm.now() + realm.settings().codeSeconds * 1000)
  const granted: Record<string, string> = realm.settings().shape === 'strava' ? { scope: scopes.join(',') } : {}
  return back(realm, request, { code, ...granted })
}

function check(realm: Realm, parameters: URLSearchParams): Checked {
  const client = parameters.get('client_id') ?? ''
  const redirectUri = parameters.get('redirect_uri') ?? ''
  const stop = (reason: string, remedy: string): Checked => ({ ok: false, answer: html(400, refusalPage(reason, remedy)) })
  const repeated = [...new Set(parameters.keys())].find((name) => parameters.getAll(name).length > 1)
  if (repeated) return stop(`The parameter ${repeated} is repeated.`, 'Send each parameter once.')
  if (!realm.clients.find(client)) return stop('The client_id is not registered here.', 'Use "practice", or register the client at the control plane.')
  if (!realm.clients.accepts(client, redirectUri))
    return stop(
      'The redirect_uri is not registered for this client.',
      'It is compared exactly. The client "practice" may use any http address of this machine.',
    )
  const settings = realm.settings()
  const separator = settings.shape === 'strava' ? /[\s,]+/ : /\s+/
  const asked = (parameters.get('scope') ?? '').split(separator).filter((scope) => scope !== '')
  const request: AuthorizationRequest = {
    profile: realm.name,
    client,
    redirectUri,
    scopes: [...new Set(asked)],
    state: parameters.get('state'),
    nonce: parameters.get('nonce'),
    challenge: parameters.get('code_challenge'),
    responseMode: parameters.get('response_mode') === 'form_post' ? 'form_post' : 'query',
  }
  const problem = requestProblem(realm, parameters, request)
  return problem ? { ok: false, answer: back(realm, request, problem) } : { ok: true, request }
}

function requestProblem(realm: Realm, parameters: URLSearchParams, request: AuthorizationRequest): Record<string, string> | undefined {
  const { pkce, scopes } = realm.settings()
  const invalid = (description: string) => ({ error: 'invalid_request', error_description: description })
  if (parameters.get('response_type') !== 'code') return { error: 'unsupported_response_type', error_description: 'response_type must be code' }
  if (request.challenge === null && pkce === 'required') return invalid('code_challenge is required')
  if (request.challenge !== null) {
    if (parameters.get('code_challenge_method') !== 'S256') return invalid('code_challenge_method must be S256')
    if (!/^[A-Za-z0-9_-]{43}$/.test(request.challenge)) return invalid('code_challenge must be 43 characters of base64url')
  }
  const unknown = request.scopes.find((scope) => !scopes.includes(scope))
  if (unknown !== undefined) return { error: 'invalid_scope', error_description: `the scope ${unknown} is not known` }
  return undefined
}

function back(realm: Realm, request: AuthorizationRequest, answer: Readonly<Record<string, string>>): Answer {
  const parameters = new URLSearchParams(answer)
  if (request.state !== null) parameters.set('state', request.state)
  if (realm.settings().shape === 'standard') parameters.set('iss', realm.issuer())
  if (request.responseMode === 'form_post') return html(200, formPostPage(request.redirectUri, parameters))
  const target = new URL(request.redirectUri)
  for (const [name, value] of parameters) target.searchParams.append(name, value)
  return redirect(target.href)
}
