/** Which methods a path knows, so that a wrong method is told apart from a wrong path. Only asked after a miss. */
export class MethodTable {
  private readonly routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []

  add(method: string | readonly string[], url: string): void {
    const pattern = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]+' : part === '*' ? '.*' : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')))
      .join('/')
    this.routes.push({ pattern: new RegExp(`^${pattern}$`), methods: typeof method === 'string' ? [method] : method })
  }

  of(path: string): readonly string[] {
    const found = new Set<string>()
    for (const route of this.routes) if (route.pattern.test(path)) for (const method of route.methods) found.add(method)
    return [...found].sort()
  }
}
