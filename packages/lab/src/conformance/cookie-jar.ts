export type Fetch = typeof globalThis.fetch

/** The cookies of one browser, for clients that run in Node: one host, every path. All tabs of a browser share one jar. */
export class CookieJar {
  readonly #cookies = new Map<string, string>()

  get header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }

  take(response: Response): void {
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';')
      const split = pair.indexOf('=')
      const name = pair.slice(0, split).trim()
      const gone = attributes.some((attribute) => /^\s*max-age=0\s*$/i.test(attribute)) || /expires=thu, 01 jan 1970/i.test(line)
      if (gone) this.#cookies.delete(name)
      else this.#cookies.set(name, pair.slice(split + 1).trim())
    }
  }

  clear(): void {
    this.#cookies.clear()
  }

  /** `fetch` as a page of `origin` has it: its cookies by the rules of `credentials`, and an `Origin` header where a browser sends one. */
  fetchFrom(origin: string): Fetch {
    return async (input, init) => {
      const request = new Request(input instanceof URL ? input.href : input, init)
      const own = new URL(request.url).origin === origin
      const credentials = init?.credentials ?? (typeof input === 'string' || input instanceof URL ? 'same-origin' : input.credentials)
      const sends = credentials === 'include' || (credentials === 'same-origin' && own)
      const headers = new Headers(request.headers)
      if (request.method !== 'GET' && request.method !== 'HEAD') headers.set('origin', origin)
      if (sends && this.header !== '') headers.set('cookie', this.header)
      const response = await fetch(new Request(request, { headers }))
      if (sends) this.take(response)
      return response
    }
  }
}
