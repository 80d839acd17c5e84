interface KnownRoute {
  readonly url: string
  readonly methods: readonly string[]
}

/** Which methods a path knows, so that a wrong method is told apart from a wrong path. Only asked after a miss, so patterns are made at the first one. */
export class MethodTable {
  readonly #routes: KnownRoute[] = []
  #patterns: readonly (KnownRoute & { readonly pattern: RegExp })[] = []

  add(method: string | readonly string[], url: string): void {
    this.#routes.push({ url, methods: typeof method === 'string' ? [method] : method })
  }

  of(path: string): readonly string[] {
    if (this.#patterns.length !== this.#routes.length) this.#patterns = this.#routes.map((route) => ({ ...route, pattern: patternOf(route.url) }))
    const found = new Set<string>()
    for (const route of this.#patterns) if (route.pattern.test(path)) for (const method of route.methods) found.add(method)
    return [...found].sort()
  }
}

function patternOf(url: string): RegExp {
  const pattern = url
    .split('/')
    .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
    .join('/')
  return new RegExp(`^${pattern}$`)
}
