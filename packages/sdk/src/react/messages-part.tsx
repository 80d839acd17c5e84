import { createDismissals } from './dismissals.ts'
import { IncidentList } from './incident-list.tsx'
import { connectionIncident, errorIncident, reconnectIncident, stateIncident, tell } from './incidents.ts'
import type { Kit } from './kit.ts'
import { Notice } from './notice.tsx'
import type { MessagesPart } from './setting.ts'

/** One for each provider: what a person puts away is remembered here. */
export function messagesPart(kit: Kit): MessagesPart {
  const dismissals = createDismissals()
  return {
    tell,
    connectionIncident,
    stateIncident,
    reconnectIncident,
    errorIncident,
    // biome-ignore lint/correctness/noComponentHookFactories: made once for each provider, and kept in its state.
    Notice: (props) => <Notice kit={kit} {...props} />,
    // biome-ignore lint/correctness/noComponentHookFactories: as above.
    Incidents: (props) => <IncidentList kit={kit} dismissals={dismissals} {...props} />,
  }
}
