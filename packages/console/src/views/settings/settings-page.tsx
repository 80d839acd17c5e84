import type { ReactNode } from 'react'
import { Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Tabs } from '../../design/tabs.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { Audit } from './audit.tsx'
import { BrandingForm } from './branding.tsx'
import { OrganizationCard } from './organization.tsx'
import { Own } from './own.tsx'
import { Retention } from './retention.tsx'
import { Team } from './team.tsx'

interface SettingsSearch {
  readonly tab?: string | undefined
  /** A pasted id lands here. */
  readonly user?: string | undefined
}

const PATHS: Readonly<Record<string, string>> = {
  team: '/api/v1/users',
  branding: '/api/v1/settings',
  organization: '/api/v1/organizations/current',
  audit: '/api/v1/events',
}

/** Who belongs to the organization, how it looks to end users, and what is kept. */
export function SettingsPage(): ReactNode {
  const [{ tab = 'team' }, change] = usePageSearch<SettingsSearch>()
  const path = PATHS[tab]
  return (
    <Page title="Settings" actions={path === undefined ? undefined : <CopyAsCurl path={path} />}>
      <Tabs
        label="Settings"
        value={tab}
        onChange={(value) => change({ tab: value, user: undefined })}
        tabs={[
          { value: 'team', text: 'Team', content: () => <Team /> },
          { value: 'branding', text: 'Connect pages', content: () => <BrandingForm /> },
          { value: 'organization', text: 'Organization', content: () => <OrganizationCard /> },
          { value: 'audit', text: 'Audit log', content: () => <Audit /> },
          { value: 'retention', text: 'Retention', content: () => <Retention /> },
          { value: 'own', text: 'You', content: () => <Own /> },
        ]}
      />
    </Page>
  )
}
