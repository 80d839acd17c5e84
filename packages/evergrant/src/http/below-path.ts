import type { App } from './schema.ts'

/** Values of attributes are escaped, so no text of anybody can look like one of these. */
const OWN_ADDRESS = /( (?:href|src|action|data-options)=")(?=\/(?!\/))/g

/** The path of the public address, without a slash at its end: '' unless we are served below a path. A proxy in front takes it off before it asks us. */
export function basePath(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/+$/, '')
}

/**
 * Pages and redirects name our own addresses from the root of this server. Where the public address has a path, it is put before them here, in one place, so
 * that no page can forget it. What an API answers (`/api/`) is left alone: what a provider said goes through unchanged.
 */
export function answerBelow(app: App, publicUrl: string): void {
  const base = basePath(publicUrl)
  if (base === '') return
  app.addHook<unknown>('onSend', (request, reply, payload, done) => {
    if (request.url.startsWith('/api/')) return done(null, payload)
    const location = reply.getHeader('location')
    if (typeof location === 'string' && /^\/(?!\/)/.test(location)) reply.header('location', base + location)
    const page = typeof payload === 'string' && String(reply.getHeader('content-type')).startsWith('text/html')
    done(null, page ? payload.replaceAll(OWN_ADDRESS, `$1${base}`) : payload)
  })
}
