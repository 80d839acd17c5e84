import type { App } from '../http/schema.ts'

export interface PageSeen {
  readonly status: number
  readonly location: string | null
  readonly body: string
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
}

/** One browser: all its cookies for our origin, and a browser's manners. Talks to the app without sockets, to providers with. */
export class PageVisitor {
  readonly app: App
  readonly origin: string
  readonly cookies = new Map<string, string>()

  constructor({ app, evergrant }: { readonly app: App; readonly evergrant: { readonly publicUrl: string } }) {
    this.app = app
    this.origin = new URL(evergrant.publicUrl).origin
  }

  get(path: string): Promise<PageSeen> {
    return this.#send('GET', path, undefined, {})
  }

  post(path: string, form: Readonly<Record<string, string>> = {}, headers: Readonly<Record<string, string>> = {}): Promise<PageSeen> {
    const own = { 'sec-fetch-site': 'same-origin', origin: this.origin, 'content-type': 'application/x-www-form-urlencoded' }
    return this.#send('POST', path, new URLSearchParams(form).toString(), { ...own, ...headers })
  }

  /** As a form of somebody else's page would be sent. */
  postFrom(origin: string, path: string, form: Readonly<Record<string, string>> = {}): Promise<PageSeen> {
    return this.post(path, form, { origin, 'sec-fetch-site': 'cross-site' })
  }

  /** Follows redirects of ours to the page that is shown, or to the first address elsewhere. */
  async follow(first: PageSeen | string): Promise<PageSeen> {
    let seen = typeof first === 'string' ? await this.get(first) : first
    while (seen.status === 303 && seen.location?.startsWith('/')) seen = await this.get(seen.location)
    return seen
  }

  /** Decides on the practice provider's consent page; the callback's path and query. */
  async consent(authorizeUrl: string, account: string, decision: 'allow' | 'deny' = 'allow'): Promise<string> {
    const url = new URL(authorizeUrl)
    const form = new URLSearchParams({ decision, other_account: account })
    for (const [name, value] of url.searchParams) form.append(`request.${name}`, value)
    for (const scope of (url.searchParams.get('scope') ?? '').split(' ')) form.append('scope', scope)
    const answer = await fetch(new URL('decision', authorizeUrl), { method: 'POST', body: form, redirect: 'manual' })
    const location = answer.headers.get('location')
    if (location === null) throw new Error(`the provider answered ${answer.status}: ${await answer.text()}`)
    const target = new URL(location)
    return target.pathname + target.search
  }

  async #send(method: 'GET' | 'POST', url: string, payload: string | undefined, headers: Readonly<Record<string, string>>): Promise<PageSeen> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await this.app.inject({
      method,
      url,
      headers: { ...(cookie === '' ? {} : { cookie }), ...headers },
      ...(payload === undefined ? {} : { payload }),
    })
    const set = answer.headers['set-cookie']
    for (const line of set === undefined ? [] : Array.isArray(set) ? set : [set]) this.#keep(line)
    return { status: answer.statusCode, location: answer.headers.location ?? null, body: answer.body, headers: answer.headers }
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split('; ')
    const at = pair.indexOf('=')
    if (attributes.includes('Max-Age=0')) this.cookies.delete(pair.slice(0, at))
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1))
  }
}
