import type { ReactNode } from 'react'
import { useApi } from '../../api/queries.ts'
import type { Agent, Selector } from './agent-words.tsx'

type Policy = Pick<Agent['policy'], 'access' | 'connections' | 'methods'>
type NameOf = (integration: string) => string | undefined

/** What a policy lets an agent do, in one sentence. */
export function policyWords({ access, connections, methods }: Policy, nameOf: NameOf): string {
  if (connections.length === 0 || access.length === 0) return 'It may use no connection.'
  const through = `send requests${methods === null ? '' : ` (${methods.join(', ')})`} through`
  const how = access.includes('token') ? (access.includes('proxy') ? `read the tokens of and ${through}` : 'read the tokens of') : through
  return `It may ${how} ${connections.map((selector) => selectorWords(selector, nameOf)).join(', and ')}.`
}

/** Which connections a selector means, in words. */
function selectorWords({ connection, owner, integration, tag }: Selector, nameOf: NameOf): string {
  const parts = [
    connection === undefined ? 'every connection' : `the connection ${connection}`,
    integration === undefined ? '' : `of ${nameOf(integration) ?? `the integration ${integration}`}`,
    owner === undefined ? '' : `of the owner ${owner}`,
    tag === undefined ? '' : `with the tag ${tag}`,
  ]
  return parts.filter(Boolean).join(' ')
}

/** The sentence, with the names of the integrations once they are known. */
export function PolicyWords({ policy }: { readonly policy: Policy }): ReactNode {
  const { data } = useApi('GET /api/v1/integrations', { query: { limit: 200 } })
  const words = policyWords(policy, (integration) => data?.items.find(({ id }) => id === integration)?.name)
  return <span title={words}>{words}</span>
}
