import type { ReactNode } from 'react'
import { useDeed } from '../../api/queries.ts'
import { Card, Facts } from '../../design/card.tsx'
import { SelectField } from '../../design/field.tsx'
import { tell } from '../../design/toasts.tsx'
import { Time } from '../../time/time.tsx'
import { DeedProblem } from '../parts/deed-problem.tsx'
import parts from '../parts/parts.module.css'
import type { InstallationDetails } from '../program-operations.ts'
import { MODES, modeWords } from './agent-words.tsx'

/** How much of the healing is left, and who says how much there is. */
export function Healing({ installation }: { readonly installation: InstallationDetails }): ReactNode {
  const { recovery } = installation
  const change = useDeed('PATCH /api/v1/installations/{id}', {
    refreshes: ['GET /api/v1/installations/{id}', 'GET /api/v1/installations/{id}/why'],
    onDone: () => tell('The way it heals is changed.'),
  })
  const left = recovery.remaining === null ? 'not counted' : `${recovery.remaining} of ${recovery.limit} in ${recovery.window_days} days`
  return (
    <Card title="Healing budget">
      <div className={parts['form']}>
        <Facts
          rows={[
            ['Mode', modeWords(recovery.mode)],
            ['Recoveries left', left],
            ['Used', String(recovery.used)],
            ['Longest silence', `${recovery.max_offline_days} days`],
            recovery.cooldown_until === null ? null : ['Pause until', <Time key="cooldown" at={recovery.cooldown_until} as="both" />],
          ]}
        />
        <SelectField
          label="For this installation alone"
          value={installation.recovery_mode ?? ''}
          disabled={change.isPending}
          choices={[{ value: '', text: 'As its agent' }, ...MODES]}
          onChange={(mode) => change.mutate({ path: { id: installation.id }, body: { recovery_mode: mode === '' ? null : mode } })}
        />
        <DeedProblem error={change.error} />
      </div>
    </Card>
  )
}
