const SHAPE = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#@\\]*)(\/[^?#\\]*)?(?:\?[^#]*)?(?:#.*)?$/
const DEFAULT_PORTS: Readonly<Record<string, string>> = { https: ':443', http: ':80' }
const UNRESERVED = /[A-Za-z0-9._~-]/

/**
 * An address without query and fragment, in the one form in which two spellings are compared (RFC 9449 section 4.3 step 9, RFC 3986 sections
 * 6.2.2 and 6.2.3); null when it is no absolute http address. Dot segments are not resolved: our routes have none.
 */
export function proofTarget(url: string): string | null {
  const parts = SHAPE.exec(url)
  if (parts === null) return null
  const [, given = '', authority = '', path = ''] = parts
  const scheme = given.toLowerCase()
  const port = DEFAULT_PORTS[scheme]
  if (port === undefined || authority === '') return null
  const host = authority.toLowerCase()
  return `${scheme}://${host.endsWith(port) ? host.slice(0, -port.length) : host}${normalPath(path)}`
}

function normalPath(path: string): string {
  if (path === '') return '/'
  return path.replace(/%([0-9A-Fa-f]{2})/g, (encoded, hex: string) => {
    const plain = String.fromCharCode(Number.parseInt(hex, 16))
    return UNRESERVED.test(plain) ? plain : encoded.toUpperCase()
  })
}
