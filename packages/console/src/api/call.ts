import { serverUrl, session } from '../session/client.ts'
import { system } from '../system.ts'
import type { Answer, Body, Name, Query } from './operations.ts'
import { ApiError, problemFrom } from './problem.ts'

export interface Input<Op extends Name> {
  /** What stands in braces in the path. */
  readonly path?: Readonly<Record<string, string>>
  readonly query?: Query<Op>
  readonly body?: Body<Op>
  readonly signal?: AbortSignal | undefined
}

/** `/api/v1/connections/con_1?limit=5`, below the server's address. */
function pathOf(operation: string, path: Readonly<Record<string, string>> = {}, query: object = {}): string {
  const filled = operation.slice(operation.indexOf(' ') + 1).replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''))
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  return pairs.length === 0 ? filled : `${filled}?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}`
}

/**
 * One request to the API as the person who is signed in. A POST carries an `Idempotency-Key`, so that a repetition by the network is harmless.
 * @throws ApiError for every answer that is not a success; the errors of the session client when there was none
 */
export async function call<Op extends Name>(operation: Op, input: Input<Op> = {}): Promise<Answer<Op>> {
  const method = operation.slice(0, operation.indexOf(' '))
  const response = await session().fetch(serverUrl() + pathOf(operation, input.path, input.query as object), {
    method,
    headers: {
      accept: 'application/json',
      ...(method === 'POST' ? { 'idempotency-key': system.uuid() } : {}),
      ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  })
  if (!response.ok) throw new ApiError(await problemFrom(response))
  return (response.status === 204 ? undefined : await response.json()) as Answer<Op>
}

/** A file that the server makes, given to the browser to save. */
export async function download(path: string, name: string): Promise<void> {
  const response = await session().fetch(serverUrl() + path)
  if (!response.ok) throw new ApiError(await problemFrom(response))
  const link = document.createElement('a')
  link.href = URL.createObjectURL(await response.blob())
  link.download = name
  link.click()
  URL.revokeObjectURL(link.href)
}
