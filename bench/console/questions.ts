/** `page`: a page of a list, at most 200 ms. `whole`: a figure over everything, at most a second. */
export interface Question {
  readonly name: string
  readonly kind: 'page' | 'whole'
  readonly path: string
  /** Each answer asks for the next page. */
  readonly pages: boolean
  /** Waits so long before it is asked again, where the server keeps an answer for a moment. */
  readonly pauseMs?: number
}

const page = (name: string, path: string, pages = true): Question => ({ name, kind: 'page', path, pages })
const whole = (name: string, path: string): Question => ({ name, kind: 'whole', path, pages: false })

const ORDERS = ['created', '-created', 'account', '-account', 'status', 'expires', '-expires', 'last_success', '-last_success', 'next', '-next']
const STATUSES = ['active', 'degraded', 'needs_reauth', 'blocked', 'paused', 'disconnected', 'needs_reauth,degraded,blocked']

export const QUESTIONS: readonly Question[] = [
  ...ORDERS.map((sort) => page(`list, order ${sort}`, `connections?sort=${sort}`)),
  ...STATUSES.map((status) => page(`filter, status ${status}`, `connections?status=${status}`)),
  page('filter, status needs_reauth, order account', 'connections?status=needs_reauth&sort=account'),
  page('filter, status active, order next', 'connections?status=active&sort=next'),
  page('filter, integration', 'connections?integration=bench-3'),
  page('filter, integration, order last_success', 'connections?integration=bench-3&sort=-last_success'),
  page('filter, fault code', 'connections?code=connection_revoked'),
  page('filter, tag of 10,000', 'connections?tag=vip'),
  page('filter, tag of 100, order account', 'connections?tag=beta&sort=account'),
  page('filter, ends within a month', `connections?expires_before=${new Date(Date.now() + 30 * 86_400_000).toISOString()}&sort=expires`),
  page('search, whole id', 'connections?q=:id', false),
  page('search, owner', 'connections?q=customer-4711', false),
  page('search, label', 'connections?q=shop%20number%204', true),
  page('search, what all begin with, order account', 'connections?q=customer&sort=account'),
  page('search, what nobody has', 'connections?q=nobody-has-this', false),
  page('search within a status, order next', 'connections?q=customer-9&status=active&sort=next'),
  page('events, newest', 'events'),
  page('events, of a rare type', 'events?q=type:connection.needs_reauth'),
  page('events, two words and one negated', 'events?q=code:provider_unavailable%20provider:bench%20-agent:*'),
  page('events, what is not there', 'events?q=owner:nobody', true),
  page('events, of one owner', 'events?q=owner:customer-4711'),
  whole('counts by status, provider, integration and code', 'connections/facets'),
  whole('the same for a search', 'connections/facets?q=shop'),
  { ...whole('overview', 'console/overview'), pauseMs: 2_100 },
  whole('what expires in 90 days, by provider', `expiries?lane=provider&to=${new Date(Date.now() + 90 * 86_400_000).toISOString()}`),
  whole('history of 7 days', `metrics/history?series=refreshes_ok,connections_by_status&from=${new Date(Date.now() - 7 * 86_400_000).toISOString()}`),
]
