import { Navigate } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Tabs } from '../../design/tabs.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { AlertList } from './alert-list.tsx'
import { Channels } from './channels.tsx'
import { Rules } from './rules.tsx'
import { Webhooks } from './webhooks.tsx'

interface AlertsSearch {
  readonly tab?: string | undefined
  readonly state?: string | undefined
  /** A pasted id lands here. */
  readonly webhook?: string | undefined
}

const PATHS: Readonly<Record<string, string>> = {
  alerts: '/api/v1/alerts?state=open',
  rules: '/api/v1/alert-rules',
  channels: '/api/v1/channels',
  webhooks: '/api/v1/webhooks',
}

/** What is wrong now, who is told of it, and what applications are told. */
export function AlertsPage(): ReactNode {
  const [{ tab = 'alerts', webhook }, change] = usePageSearch<AlertsSearch>()
  if (webhook !== undefined) return <Navigate to={`/alerts/webhooks/${webhook}` as never} replace />
  return (
    <Page
      title="Alerts & webhooks"
      lead="People are told through channels, applications through webhooks."
      actions={<CopyAsCurl path={PATHS[tab] ?? '/api/v1/alerts'} />}
    >
      <Tabs
        label="Alerts and webhooks"
        value={tab}
        onChange={(value) => change({ tab: value, state: undefined })}
        tabs={[
          { value: 'alerts', text: 'Alerts', content: () => <AlertList /> },
          { value: 'rules', text: 'Rules', content: () => <Rules /> },
          { value: 'channels', text: 'Channels', content: () => <Channels /> },
          { value: 'webhooks', text: 'Webhooks', content: () => <Webhooks /> },
        ]}
      />
    </Page>
  )
}
