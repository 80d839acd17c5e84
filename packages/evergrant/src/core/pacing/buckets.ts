import type { IntegrationId } from '../ids.ts'
import type { QuotaFacts } from '../provider/record-around.ts'

/** Paths remembered; beyond it all are learnt anew. */
const MANY = 20_000
/** Segments of a path that tell calls apart where a provider names buckets in its answers, and where each path is one. */
const SEGMENTS = { named: 2, path: 3 }

/**
 * Which of a provider's buckets a request counts against, where it has more than one (GitHub's `core` and `search`). Before
 * the first answer from a path nobody knows, and nobody is held.
 */
export class Buckets {
  readonly #known = new Map<string, string>()

  /** Name of the window; null while it is not known. */
  nameOf(integration: IntegrationId, quota: QuotaFacts, method: string, url: string): string | null {
    if (quota.bucket === null) return quota.name
    if (quota.bucket === 'path') return `${quota.name} ${beginning(url, SEGMENTS.path)}`
    const bucket = this.#known.get(keyOf(integration, quota, method, url))
    return bucket === undefined ? null : `${quota.name} ${bucket}`
  }

  /** As {@link nameOf}, from the answer itself. Null when it names none. */
  learn(
    integration: IntegrationId,
    quota: QuotaFacts,
    sent: { readonly method: string; readonly url: string },
    headers: Readonly<Record<string, string>>,
  ): string | null {
    if (quota.bucket === null || quota.bucket === 'path') return this.nameOf(integration, quota, sent.method, sent.url)
    const bucket = clean(headers[quota.bucket.toLowerCase()] ?? '')
    if (bucket === '') return null
    if (this.#known.size >= MANY) this.#known.clear()
    this.#known.set(keyOf(integration, quota, sent.method, sent.url), bucket)
    return `${quota.name} ${bucket}`
  }
}

function keyOf(integration: IntegrationId, quota: QuotaFacts, method: string, url: string): string {
  return `${integration} ${quota.name} ${method === 'HEAD' ? 'GET' : method} ${beginning(url, SEGMENTS.named)}`
}

function beginning(url: string, segments: number): string {
  const path = url.replace(/^[a-z]+:\/\/[^/?#]*/i, '').split(/[?#]/, 1)[0] ?? ''
  return clean(
    path
      .split('/')
      .filter((part) => part !== '')
      .slice(0, segments)
      .join('/'),
  )
}

/** Names travel in notifications: short, and of harmless signs. */
function clean(text: string): string {
  return text.replace(/[^A-Za-z0-9_./-]/g, '').slice(0, 60)
}
