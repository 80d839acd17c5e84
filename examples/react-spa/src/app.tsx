import { SessionGate } from '@evergrant/sdk/react'
import { Dashboard } from './dashboard.tsx'
import type { Setting } from './setting.ts'
import { SignIn } from './sign-in.tsx'

export function App({ setting }: { readonly setting: Setting }) {
  return (
    <SessionGate pending={<p className="pending">One moment ...</p>} signedOut={<SignIn evergrant={setting.evergrant} />}>
      <Dashboard setting={setting} />
    </SessionGate>
  )
}
