import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AccessClaims } from '../core/session/access-token.ts'
import { openVolatileStore } from '../store/memory/volatile-store.ts'
import { systemClock, systemTimers } from '../system.ts'
import { type AccessLab, createAccessLab, genuineClaims } from './access-lab.ts'
import { type GenuineParts, signedToken } from './bad-tokens.ts'
import type { ManualTime } from './manual-time.ts'

export interface IssuerServer extends Omit<AccessLab, 'time'> {
  readonly url: string
  /** A genuine token of this issuer, now; claims and header may be altered. */
  token(claims?: Partial<AccessClaims>, header?: object): Promise<string>
  parts(): Promise<GenuineParts>
  /** How often each path was asked for. */
  readonly asked: Record<string, number>
  /** Answers in place of the real one, until it is null again. */
  instead: ((request: IncomingMessage, response: ServerResponse) => void) | null
  /** What `auth/validate` answers. */
  validate: { readonly status: number; readonly body: object; readonly headers?: Record<string, string> }
  close(): Promise<void>
  reopen(): Promise<void>
}

/** Real signing keys behind a real JWKS, on the machine's clock: what an application's API sees of Evergrant. */
export async function startIssuer(): Promise<IssuerServer> {
  const time: ManualTime = { clock: systemClock, timers: systemTimers, advance: () => Promise.resolve(), setWall: () => {}, waiting: () => 0 }
  const { keys, tokens, another, issuerKey } = createAccessLab({ store: openVolatileStore(time), time })
  let port = 0
  let server: Server | null = null
  const listen = async (): Promise<void> => {
    const opened = createServer((request, response) => void answer(lab, request, response))
    server = opened
    await new Promise<void>((resolve) => opened.listen(port, '127.0.0.1', resolve))
    const address = opened.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  }
  await listen()
  const url = `http://127.0.0.1:${port}`
  const claims = (): AccessClaims => ({ ...genuineClaims(Date.now()), iss: url, aud: url })
  const lab: IssuerServer = {
    keys,
    tokens,
    another,
    issuerKey,
    url,
    token: async (altered = {}, header = {}) => signedToken({ claims: { ...claims(), ...altered }, key: await issuerKey() }, header),
    parts: async () => {
      const key = await issuerKey()
      await keys.rotateNow({ stolen: false, actor: { kind: 'cli', id: null } })
      keys.forget()
      return { claims: claims(), key, other: await issuerKey() }
    },
    asked: {},
    instead: null,
    validate: { status: 200, body: { active: true, user: { role: 'member' } } },
    close: async () => {
      const open = server
      open?.closeAllConnections()
      await new Promise<void>((resolve) => (open === null ? resolve() : open.close(() => resolve())))
    },
    reopen: listen,
  }
  return lab
}

async function answer(lab: IssuerServer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  lab.asked[path] = (lab.asked[path] ?? 0) + 1
  if (lab.instead !== null) return lab.instead(request, response)
  const { status, body, headers = {} } = path === '/.well-known/jwks.json' ? { status: 200, body: await lab.keys.published() } : lab.validate
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
