// @vitest-environment happy-dom
import { cleanup, render, screen } from '@testing-library/react'
import { afterEach, expect, test, vi } from 'vitest'
import { session } from './client.ts'
import { SessionGate } from './session-gate.tsx'

let generation = 0
let organization = { id: 'org_1', name: 'Acme' }

/** The server, as far as a session goes: each refresh says of whom it is now. */
vi.stubGlobal('fetch', () => {
  generation += 1
  return Promise.resolve(
    Response.json({
      access_token: `token-${generation}`,
      expires_in: 900,
      server_time: new Date().toISOString(),
      generation,
      session: { id: 'ses_1' },
      user: { id: 'usr_1', email: 'ada@example.com', email_verified: true, name: 'Ada', owner: 'ada', role: 'owner', organization },
      connections: [],
    }),
  )
})
const assign = vi.spyOn(location, 'assign').mockReturnValue(undefined)
afterEach(cleanup)

test('a page of one organization shows nothing once another tab went to another, and begins anew', async () => {
  render(<SessionGate>what was read</SessionGate>)
  await screen.findByText('what was read')
  await session().refresh({ force: true })
  expect(generation).toBe(2)
  expect(screen.queryByText('what was read')).not.toBeNull()
  expect(assign).not.toHaveBeenCalled()

  organization = { id: 'org_2', name: 'Globex' }
  await session().refresh({ force: true })
  await vi.waitFor(() => expect(assign).toHaveBeenCalledWith(document.baseURI))
  expect(screen.queryByText('what was read')).toBeNull()
})
