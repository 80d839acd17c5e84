import { ConnectionStatusBanner, useSession } from '@evergrant/sdk/react'
import { OwnNotes } from './own-notes.tsx'
import { ProviderNotes } from './provider-notes.tsx'
import type { Setting } from './setting.ts'

export function Dashboard({ setting }: { readonly setting: Setting }) {
  const session = useSession()
  return (
    <>
      <header className="top">
        <h1>Field Notes</h1>
        <p className="who">{session.user?.name ?? session.user?.email}</p>
        <button type="button" onClick={() => void session.signOut()}>
          Sign out
        </button>
      </header>
      <main className="page">
        {/* Says what is wrong with a connection, to the one person who can mend it. */}
        <ConnectionStatusBanner />
        <div className="columns">
          <OwnNotes evergrant={setting.evergrant} />
          <ProviderNotes setting={setting} />
        </div>
      </main>
    </>
  )
}
