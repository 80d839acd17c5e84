/** Scheme, host with a port, path, query. */
const ADDRESS = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([^/?#]*)([^?#]*)(?:\?([^#]*))?/
const USUAL_PORTS: Readonly<Record<string, string>> = { http: ':80', https: ':443' }

/** An absolute URL as signatures over requests see it. */
interface AddressParts {
  /** As the Host header has it: in lower case, without the usual port. */
  readonly host: string
  /** At least a slash. */
  readonly path: string
  /** Without its question mark. */
  readonly query: string
}

/** Total: what is no absolute URL has an empty host. */
export function addressParts(url: string): AddressParts {
  const [, scheme = '', authority = '', path = '', query = ''] = ADDRESS.exec(url) ?? []
  const usual = USUAL_PORTS[scheme.toLowerCase()] ?? ''
  const host = authority.toLowerCase()
  return { host: usual !== '' && host.endsWith(usual) ? host.slice(0, -usual.length) : host, path: path === '' ? '/' : path, query }
}
