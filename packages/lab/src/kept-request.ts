import { type Agent, request } from 'node:http'

/** What a caller sends. `path` begins with a slash. */
export interface Sent {
  readonly method: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

export interface Answered {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** Null when the body is no JSON. */
  readonly body: unknown
  /** Which node answered. */
  readonly node: string
}

/** One request over the connections that `agent` keeps, sent once. @throws Error when the connection ends without a whole answer */
export function sendOnce(agent: Agent, node: string, { method, path, headers = {}, body }: Sent): Promise<Answered> {
  const text = body === undefined ? '' : JSON.stringify(body)
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }
  return new Promise((resolve, reject) => {
    const asked = request(`${node}${path}`, { method, headers: { ...headers, ...type }, agent }, (answer) => {
      const parts: Buffer[] = []
      answer.on('data', (part: Buffer) => void parts.push(part))
      answer.on('error', reject)
      answer.on('end', () => {
        const whole = Buffer.concat(parts).toString()
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: whole, body: parsed(whole), node })
      })
    })
    asked.on('error', reject)
    asked.end(text)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
