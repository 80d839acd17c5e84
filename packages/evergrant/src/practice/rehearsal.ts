import { createHash, randomBytes } from 'node:crypto'

const BASIC = `Basic ${Buffer.from('practice:practice-secret').toString('base64')}`

interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Record<string, unknown>
}

/** One application that talks to one profile, with nothing but `fetch`: as a client would, without a library's leniency. */
export class Rehearsal {
  readonly issuer: string
  readonly redirectUri = 'http://127.0.0.1:9/callback'
  readonly verifier: string = randomBytes(32).toString('base64url')

  constructor(issuer: string) {
    this.issuer = issuer
  }

  /** The parameters of a good authorization request, with changes; null leaves one out. */
  request(changes: Readonly<Record<string, string | null>> = {}): URLSearchParams {
    const challenge = createHash('sha256').update(this.verifier).digest('base64url')
    const good = {
      client_id: 'practice',
      redirect_uri: this.redirectUri,
      response_type: 'code',
      state: 'some-state',
      code_challenge: challenge,
      code_challenge_method: 'S256',
      scope: 'openid notes:read',
    }
    const all: Record<string, string | null> = { ...good, ...changes }
    const query = new URLSearchParams()
    for (const [name, value] of Object.entries(all)) if (value !== null) query.set(name, value)
    return query
  }

  async consentPage(changes: Readonly<Record<string, string | null>> = {}): Promise<Response> {
    return await fetch(`${this.issuer}/authorize?${this.request(changes)}`, { redirect: 'manual' })
  }

  /** Presses a button of the consent page; returns where the browser is sent. */
  async decide(decision: 'allow' | 'deny', ticked: readonly string[], changes: Readonly<Record<string, string | null>> = {}, account = 'ada'): Promise<URL> {
    const form = new URLSearchParams({ decision, account })
    for (const scope of ticked) form.append('scope', scope)
    for (const [name, value] of this.request(changes)) form.append(`request.${name}`, value)
    const response = await fetch(`${this.issuer}/decision`, { method: 'POST', body: form, redirect: 'manual' })
    const location = response.headers.get('location')
    if (location === null) throw new Error(`no redirect, but ${response.status}`)
    return new URL(location)
  }

  async exchange(code: string, changes: Readonly<Record<string, string>> = {}): Promise<Reply> {
    return await this.token({ grant_type: 'authorization_code', code, redirect_uri: this.redirectUri, code_verifier: this.verifier, ...changes })
  }

  async refresh(refreshToken: string): Promise<Reply> {
    return await this.token({ grant_type: 'refresh_token', refresh_token: refreshToken })
  }

  async token(form: Readonly<Record<string, string>>, authorization: string | null = BASIC): Promise<Reply> {
    return await this.post('/token', form, authorization)
  }

  async post(path: string, form: Readonly<Record<string, string>>, authorization: string | null = BASIC): Promise<Reply> {
    const headers: Record<string, string> = authorization === null ? {} : { authorization }
    const response = await fetch(`${this.issuer}${path}`, { method: 'POST', headers, body: new URLSearchParams(form) })
    return { status: response.status, headers: response.headers, body: (await response.json()) as Record<string, unknown> }
  }

  async api(path: string, accessToken: string, init: RequestInit = {}): Promise<Response> {
    return await fetch(`${this.issuer}${path}`, { ...init, headers: { authorization: `Bearer ${accessToken}` } })
  }
}

/** A string field of an answer; throws when it is not there. */
export function field(reply: Reply, name: string): string {
  const value = reply.body[name]
  if (typeof value !== 'string') throw new Error(`${name} is missing in ${JSON.stringify(reply.body)}`)
  return value
}
