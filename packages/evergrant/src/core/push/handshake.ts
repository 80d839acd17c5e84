import { sameSecret } from '../connect/random-token.ts'
import { conditionsHold, textAt } from '../provider/answer-path.ts'
import type { Handshake } from '../provider/record-around.ts'
import { type IncomingPush, type PushAnswer, readPushBody } from './incoming-push.ts'

const LONGEST_ECHO = 1_000

/** `no`: this is an ordinary push. `wrong_token`: it asks for an echo without knowing the push secret. */
type HandshakeReading = { readonly kind: 'no' } | { readonly kind: 'wrong_token' } | { readonly kind: 'echo'; readonly answer: PushAnswer }

/** What is answered when the provider tries the address. */
export function readHandshake(facts: Handshake, push: IncomingPush, secrets: readonly string[]): HandshakeReading {
  if (push.method !== facts.method) return { kind: 'no' }
  const parameter = parametersOf(push)
  // Names such as `hub.mode` are no paths, so each is asked for by itself.
  const fits = Object.entries(facts.where).every(([name, expected]) => conditionsHold({ value: parameter(name) }, { value: expected }))
  const echo = parameter(facts.echo.parameter)
  if (!fits || echo === null || echo.length > LONGEST_ECHO) return { kind: 'no' }
  if (facts.token !== null) {
    const token = parameter(facts.token) ?? ''
    if (!secrets.some((secret) => sameSecret(secret, token))) return { kind: 'wrong_token' }
  }
  const { as } = facts.echo
  return {
    kind: 'echo',
    answer:
      as === 'text'
        ? { status: 200, type: 'text/plain; charset=utf-8', body: echo }
        : { status: 200, type: 'application/json; charset=utf-8', body: JSON.stringify({ [as]: echo }) },
  }
}

function parametersOf(push: IncomingPush): (name: string) => string | null {
  if (push.method === 'GET') return (name) => (Object.hasOwn(push.query, name) ? (push.query[name] ?? null) : null)
  const body = readPushBody(push)
  return (name) => textAt(body ?? undefined, name)
}
