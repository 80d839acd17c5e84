type Headers = Readonly<Record<string, string | readonly string[] | undefined>>

const METHOD_HEADERS = ['x-http-method-override', 'x-http-method', 'x-method-override']
const IDEMPOTENT: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])

/** What a request may be taken for: many providers do what such a header says, whatever the request line does. A policy of methods has to allow all of them. */
export function methodsOf(method: string, headers: Headers): ReadonlySet<string> {
  const others = METHOD_HEADERS.flatMap((name) => headers[name] ?? []).flatMap((value) => value.split(','))
  return new Set([...others.map((other) => other.trim().toUpperCase()), method])
}

/** Sending it twice does no more than sending it once, whichever of its methods the provider goes by (RFC 9110 section 9.2.2). */
export function isIdempotent(method: string, headers: Headers): boolean {
  return [...methodsOf(method, headers)].every((one) => IDEMPOTENT.has(one))
}
