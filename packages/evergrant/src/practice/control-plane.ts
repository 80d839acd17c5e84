import { type Answer, type Call, html, json, redirect } from './answer.ts'
import type { PracticeControl } from './control.ts'
import { controlPage } from './control-page.ts'
import type { FaultSpec } from './fault-queue.ts'
import { camelCased, snakeCased } from './json-names.ts'

type Fields = Readonly<Record<string, unknown>>

/** `/` and `/control/...`. Served only when the provider was started with its control plane. */
export function controlAnswer(control: PracticeControl, issuer: (profile: string) => string, call: Call): Answer {
  const { method, url } = call
  try {
    if (method === 'GET') return read(control, issuer, url)
    if (method !== 'POST' && method !== 'DELETE') return problem(405, 'use GET, POST or DELETE')
    if (foreign(call)) return problem(403, 'the control plane takes no requests from other sites')
    if (url.pathname.startsWith('/control/press/')) return pressed(control, new URLSearchParams(call.body), url.pathname)
    return json(200, snakeCased(command(control, method, url, parse(call.body))))
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return problem(400, error.message)
    if (error instanceof RangeError) return problem(404, error.message)
    throw error
  }
}

function problem(status: number, detail: string): Answer {
  return json(status, { status, detail })
}

/** A page of another origin in somebody's browser must not command this provider. */
function foreign(call: Call): boolean {
  const { origin, host } = call.request.headers
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) return true
  const site = call.request.headers['sec-fetch-site']
  return site !== undefined && site !== 'same-origin' && site !== 'none'
}

function parse(body: string): Fields {
  if (body === '') return {}
  const value = camelCased(JSON.parse(body))
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('the body must be a JSON object')
  return value as Fields
}

function read(control: PracticeControl, issuer: (profile: string) => string, url: URL): Answer {
  const [, area, name, part] = url.pathname.split('/')
  const profile = url.searchParams.get('profile') ?? undefined
  if (area === '') return html(200, controlPage(control, issuer))
  if (area !== 'control') return problem(404, 'there is no such page')
  if (name === 'state') return json(200, snakeCased(state(control, profile)))
  if (name === 'profiles') return json(200, snakeCased(part === undefined ? control.profiles() : control.profile(part)))
  if (name === 'faults') return json(200, { faults: snakeCased(control.faults()) })
  if (name === 'grants' && part === undefined) return json(200, { grants: snakeCased(control.grants(profile === undefined ? {} : { profile })) })
  if (name === 'grants' && part !== undefined) return json(200, snakeCased(url.pathname.endsWith('/tokens') ? control.tokens(part) : control.grant(part)))
  if (name === 'issued') return json(200, { issued: snakeCased(control.issuedAfter(Number(url.searchParams.get('after') ?? 0))) })
  if (name === 'held') return json(200, { held: snakeCased(control.held()) })
  return problem(404, 'there is no such reading')
}

function state(control: PracticeControl, profile: string | undefined): unknown {
  const names = profile === undefined ? Object.keys(control.profiles()) : [profile]
  return {
    now: control.now(),
    grants: control.grants(profile === undefined ? {} : { profile }),
    counts: Object.fromEntries(names.map((name) => [name, control.counts(name)])),
    faults: control.faults(),
    held: control.held(),
  }
}

function text(fields: Fields, field: string): string {
  const value = fields[field]
  if (typeof value !== 'string' || value === '') throw new TypeError(`field ${field} must be a non-empty string`)
  return value
}

function command(control: PracticeControl, method: string, url: URL, fields: Fields): unknown {
  const [, , name, part] = url.pathname.split('/')
  const optionalProfile = fields['profile'] === undefined ? undefined : text(fields, 'profile')
  switch (`${method} ${name}`) {
    case 'POST faults':
      return { id: control.addFault(fields as unknown as FaultSpec) }
    case 'DELETE faults':
      control.clearFaults(part === undefined ? {} : { id: Number(part) })
      return { cleared: true }
    case 'POST profiles':
      return control.setProfile(part ?? text(fields, 'name'), fields)
    case 'POST clients':
      control.registerClient({
        clientId: text(fields, 'clientId'),
        clientSecret: text(fields, 'clientSecret'),
        redirectUris: redirectUris(fields['redirectUris']),
      })
      return { registered: true }
    case 'POST grants':
      return control.issueGrant(grantFields(fields))
    case 'POST revoke':
      control.revoke(text(fields, 'grant'))
      return control.grant(text(fields, 'grant'))
    case 'POST expire':
      if (fields['what'] === 'grant') control.expireGrant(text(fields, 'grant'))
      else control.expireAccess(text(fields, 'grant'))
      return control.grant(text(fields, 'grant'))
    case 'POST release':
      return { released: control.release(optionalProfile) }
    case 'POST clock':
      control.advanceClock(Number(fields['advanceMs']))
      return { now: control.now() }
    case 'POST state':
      return state(control, optionalProfile)
    case 'POST reset':
      control.reset()
      return { reset: true }
    default:
      throw new RangeError(`there is no command ${method} ${url.pathname}`)
  }
}

function redirectUris(value: unknown): readonly string[] | 'loopback' {
  if (value === undefined || value === 'loopback') return 'loopback'
  if (Array.isArray(value) && value.every((item) => typeof item === 'string' && URL.canParse(item))) return value
  throw new TypeError('field redirect_uris must be "loopback" or a list of URLs')
}

function grantFields(fields: Fields): Parameters<PracticeControl['issueGrant']>[0] {
  const { account, client, scopes, accessSeconds } = fields
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.every((item) => typeof item === 'string')))
    throw new TypeError('field scopes must be a list of strings')
  if (accessSeconds !== undefined && typeof accessSeconds !== 'number') throw new TypeError('field access_seconds must be a number')
  return {
    profile: text(fields, 'profile'),
    ...(account === undefined ? {} : { account: text(fields, 'account') }),
    ...(client === undefined ? {} : { client: text(fields, 'client') }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(accessSeconds === undefined ? {} : { accessSeconds }),
  }
}

/** A button of the control page. */
function pressed(control: PracticeControl, form: URLSearchParams, path: string): Answer {
  const grant = form.get('grant') ?? ''
  const profile = form.get('profile') ?? ''
  switch (path) {
    case '/control/press/expire':
      control.expireAccess(grant)
      break
    case '/control/press/revoke':
      control.revoke(grant)
      break
    case '/control/press/unavailable':
      control.addFault({ profile, step: 'token.refresh', kind: 'status', status: 503, forMs: 60_000 })
      control.addFault({ profile, step: 'token.exchange', kind: 'status', status: 503, forMs: 60_000 })
      break
    case '/control/press/well':
      control.clearFaults({ profile })
      break
    default:
      throw new RangeError(`there is no button ${path}`)
  }
  return redirect('/')
}
