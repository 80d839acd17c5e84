import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode, useLayoutEffect } from 'react'
import { createRoot } from 'react-dom/client'
import { createQueryClient } from './api/query-client.ts'
import './design/tokens.css'
import './design/base.css'
import { Live } from './live/live.ts'
import { LiveContext } from './live/live-context.ts'
import { followOtherTabs } from './preferences/preferences.ts'
import { createConsoleRouter } from './router/router.tsx'
import { SessionGate } from './session/session-gate.tsx'
import { listenForShortcuts } from './shortcuts/shortcuts.ts'

const client = createQueryClient()
const live = new Live(client)
const router = createConsoleRouter()

function Console() {
  // Before the effects in which the page asks its questions: what changes after their answers is told.
  useLayoutEffect(() => live.start(), [])
  return (
    <LiveContext value={live}>
      <RouterProvider router={router} />
    </LiveContext>
  )
}

followOtherTabs()
listenForShortcuts()
const place = document.getElementById('console')
if (place !== null)
  createRoot(place).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <SessionGate>
          <Console />
        </SessionGate>
      </QueryClientProvider>
    </StrictMode>,
  )
