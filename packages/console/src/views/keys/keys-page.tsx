import type { ReactNode } from 'react'
import { Page } from '../../design/card.tsx'
import { CopyAsCurl } from '../../design/copy.tsx'
import { Tabs } from '../../design/tabs.tsx'
import { usePageSearch } from '../../router/page-search.ts'
import { ApiKeys } from './api-keys.tsx'
import { EncryptionKeysCard } from './encryption-keys.tsx'
import { SigningKeys } from './signing-keys.tsx'

const PATHS: Readonly<Record<string, string>> = { api: '/api/v1/api-keys', signing: '/api/v1/signing-keys', encryption: '/api/v1/admin/keys' }

/** Keys of backends, keys that sign access tokens, keys that seal what is stored. */
export function KeysPage(): ReactNode {
  const [{ tab = 'api' }, change] = usePageSearch<{ readonly tab?: string | undefined }>()
  return (
    <Page
      title="Keys"
      lead="Each can be changed without a stop. None of them is ever shown again after it was made."
      actions={<CopyAsCurl path={PATHS[tab] ?? '/api/v1/api-keys'} />}
    >
      <Tabs
        label="Kinds of keys"
        value={tab}
        onChange={(value) => change({ tab: value })}
        tabs={[
          { value: 'api', text: 'API keys', content: () => <ApiKeys /> },
          { value: 'signing', text: 'Signing keys', content: () => <SigningKeys /> },
          { value: 'encryption', text: 'Encryption keys', content: () => <EncryptionKeysCard /> },
        ]}
      />
    </Page>
  )
}
