import { Ban, CircleCheck, Hourglass } from 'lucide-react'
import type { ReactNode } from 'react'
import type { Answer } from '../../api/operations.ts'
import { Badge } from '../../design/state.tsx'

type Integration = Pick<Answer<'GET /api/v1/integrations'>['items'][number], 'blocked' | 'deaths_held'>

/** How an integration is: blocked beats everything. */
export function IntegrationState({ integration }: { readonly integration: Integration }): ReactNode {
  if (integration.blocked !== null)
    return (
      <Badge tone="bad" icon={Ban} title={integration.blocked.operator_text}>
        Blocked
      </Badge>
    )
  if (integration.deaths_held !== null)
    return (
      <Badge tone="warn" icon={Hourglass} title="Unusually many grants were refused at once; their ends are held.">
        Ends are held
      </Badge>
    )
  return (
    <Badge tone="good" icon={CircleCheck}>
      Works
    </Badge>
  )
}
