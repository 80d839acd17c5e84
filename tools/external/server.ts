// The server under attack, as a process of its own: it tells its parent where it is, and on demand what it saw.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { plantOrganization } from '../../packages/evergrant/src/testing/planted-organization.ts'
import { openWholeNode } from '../../packages/evergrant/src/testing/whole-node.ts'
import type { Seen, StageFacts } from './stage.ts'

const [port = '', publicUrl = ''] = process.argv.slice(2)
/** An answer takes milliseconds; on a machine that is full of other work, more. */
const SLOW_MS = 5_000
const LISTED = 40

const node = await openWholeNode({ env: { EVERGRANT_PORT: port, EVERGRANT_PUBLIC_URL: publicUrl } })
const own = await plantOrganization(node, node.parts.organization, 'planted')
const founder = own.owner.id
const elsewhere = (await node.parts.services.users.createOrganization(founder, { name: 'Shadow', slug: 'shadow' })).organization.id
const shadow = await plantOrganization(node, elsewhere, 'shadowed')
const seen = { answers: 0, byStatus: {} as Record<string, number>, broken: [] as string[], leaks: [] as string[], slow: [] as string[] }

/** Every answer as it leaves, also those that no route made. */
function watch(request: IncomingMessage, response: ServerResponse): void {
  const asked = `${request.method} ${request.url?.slice(0, 300)}`
  const began = performance.now()
  const { write, end } = response
  let text = ''
  const keep = (chunk: unknown): void => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) text += Buffer.from(chunk as string).toString('latin1')
  }
  response.write = function (this: ServerResponse, ...args: unknown[]) {
    keep(args[0])
    return Reflect.apply(write, this, args) as boolean
  }
  response.end = function (this: ServerResponse, ...args: unknown[]) {
    keep(args[0])
    return Reflect.apply(end, this, args) as ServerResponse
  }
  response.on('close', () => {
    seen.answers += 1
    const { statusCode } = response
    seen.byStatus[statusCode] = (seen.byStatus[statusCode] ?? 0) + 1
    if (statusCode === 500 || /SQLITE_|SQL logic|syntax error at or near|\bat [\w.<>]+ \(.*:\d+:\d+\)/.test(text)) note(seen.broken, `${statusCode} ${asked}`)
    const sent = `${asked}${request.headers.authorization ?? ''}`
    const leaked = shadow.marks.find((mark) => text.includes(mark) && !decoded(sent).includes(mark))
    if (leaked !== undefined) note(seen.leaks, `${leaked} in the answer to ${asked}`)
    if (performance.now() - began > SLOW_MS) note(seen.slow, asked)
  })
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function note(list: string[], line: string): void {
  if (list.length < LISTED) list.push(line)
}

node.app.server.prependListener('request', watch)
await node.evergrant.listen()
const facts: StageFacts = {
  url: `http://127.0.0.1:${port}`,
  publicUrl,
  key: own.key,
  token: own.owner.token,
  ids: own.ids,
  shadowIds: shadow.ids,
  shadowKey: shadow.key,
  marks: shadow.marks,
}
process.send?.({ facts })
process.on('message', (asked) => {
  if (asked === 'seen') process.send?.({ seen: structuredClone(seen) satisfies Seen })
})
process.on('disconnect', () => process.exit(0))
