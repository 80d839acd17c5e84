import type { ConnectBench } from './connect-bench.ts'

export interface Seen {
  readonly status: number
  readonly location: string | null
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
}

/** One browser: its cookies for our origin, and manners of a browser. Talks to the app without sockets, to the provider with. */
export class Visitor {
  readonly bench: ConnectBench
  cookie: string | null = null

  constructor(bench: ConnectBench) {
    this.bench = bench
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    return this.#request('GET', path, undefined, headers)
  }

  async post(path: string, form: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<Seen> {
    const own = { 'sec-fetch-site': 'same-origin', origin: this.bench.publicUrl, 'content-type': 'application/x-www-form-urlencoded' }
    return this.#request('POST', path, new URLSearchParams(form).toString(), { ...own, ...headers })
  }

  /** Opens a link, presses Continue and answers where the provider's page is. */
  async start(url: string, form: Readonly<Record<string, string>> = {}): Promise<string> {
    const seen = await this.post(new URL(url).pathname, form)
    if (seen.status !== 303 || seen.location === null) throw new Error(`Continue answered ${seen.status}`)
    return seen.location
  }

  /** Decides on the provider's consent page and answers the callback's path and query. */
  async consent(authorizeUrl: string, account: string, decision: 'allow' | 'deny' = 'allow', scopes?: readonly string[]): Promise<string> {
    const url = new URL(authorizeUrl)
    const form = new URLSearchParams({ decision, other_account: account })
    for (const [name, value] of url.searchParams) form.append(`request.${name}`, value)
    for (const scope of scopes ?? (url.searchParams.get('scope') ?? '').split(/[ ,]/)) form.append('scope', scope)
    const answer = await fetch(new URL('decision', authorizeUrl), { method: 'POST', body: form, redirect: 'manual' })
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`the provider answered ${answer.status}: ${await answer.text()}`)
    const target = new URL(location)
    return target.pathname + target.search
  }

  /** Follows redirects of ours to the page that is shown, or to the first address elsewhere. */
  async follow(path: string): Promise<Seen> {
    let seen = await this.get(path)
    while (seen.status === 303 && seen.location?.startsWith('/')) seen = await this.get(seen.location)
    return seen
  }

  async #request(method: 'GET' | 'POST', url: string, payload: string | undefined, headers: Readonly<Record<string, string>>): Promise<Seen> {
    const cookie = this.cookie === null ? {} : { cookie: this.cookie }
    const answer = await this.bench.app.inject({ method, url, headers: { ...cookie, ...headers }, ...(payload === undefined ? {} : { payload }) })
    const set = answer.headers['set-cookie']
    if (typeof set === 'string') this.cookie = set.split(';')[0] ?? null
    const { location } = answer.headers
    return { status: answer.statusCode, location: location ?? null, body: answer.body, headers: answer.headers }
  }
}

/** The application's backend. */
export async function api(
  bench: ConnectBench,
  key: string,
  path: string,
  body: unknown,
): Promise<{ readonly status: number; readonly body: Record<string, never> }> {
  const answer = await bench.app.inject({
    method: 'POST',
    url: `/api/v1/${path}`,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  })
  return { status: answer.statusCode, body: answer.json() }
}
