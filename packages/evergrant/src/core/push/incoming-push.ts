import { isJsonObject, type JsonObject } from '../json.ts'
import { parseJson } from '../provider/answer-body.ts'
import { decodeForm } from '../provider/form.ts'

/** One request to `/hooks/{integration}`, as it came. */
export interface IncomingPush {
  /** Id of the integration, from the path. */
  readonly integration: string
  /** What follows in the path; null when nothing does. */
  readonly secret: string | null
  readonly method: 'GET' | 'POST'
  /** The address as it is registered at the provider, with the query of this request. */
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** `body` as UTF-8. */
  readonly text: string
}

export interface PushAnswer {
  readonly status: number
  /** Null: no body. */
  readonly type: 'text/plain; charset=utf-8' | 'application/json; charset=utf-8' | null
  readonly body: string
}

/** The body as an object: JSON, or a form. A list becomes `{ items }`, so that paths have a name to begin with. Null when it is neither. */
export function readPushBody(push: Pick<IncomingPush, 'headers' | 'text'>): JsonObject | null {
  const text = push.text.replace(/^\uFEFF/, '').trim()
  const json = parseJson(text)
  if (isJsonObject(json)) return json
  if (Array.isArray(json)) return { items: json }
  return json === undefined ? decodeForm(text) : null
}
